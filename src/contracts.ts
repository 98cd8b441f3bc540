// What an author of a store, a locker or hooks imports: the contracts, and everything that is named in them.
export type { Body, BodyEnd, StopReason } from './core/body.js';
export type {
  ByteRange,
  DataStore,
  ReadResult,
  StoreCapabilities,
  StoredItem,
  Upload,
  WaitOptions,
  WriteChunkOptions,
  WriteOptions,
  WriteResult,
} from './core/data-store.js';
export {
  type ErrorCode,
  errorCodes,
  isTusError,
  TusError,
  type TusErrorOptions,
} from './core/errors.js';
export type {
  BlockingHook,
  EventName,
  HookHttpResponse,
  HookRequest,
  HookResponse,
  Hooks,
  RequestInfo,
  UploadEvent,
  Verb,
} from './core/hooks.js';
export type { Lock, Locker, LockerCapabilities, LockOptions, LockWait } from './core/locker.js';
export type {
  FinalResponse,
  Metadata,
  UploadChanges,
  UploadDraft,
  UploadInfo,
} from './core/upload.js';
export { isUploadId, newUploadId } from './core/upload-id.js';
