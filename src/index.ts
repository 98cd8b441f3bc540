// What an embedder imports: the handler, the pieces to put together, and the contracts for pieces of one's own.
export { type Backend, compose, type Pieces } from './core/compose.js';
export { type StoreChanges, wrapStore } from './core/wrap-store.js';
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
export type { Lock, Locker, LockerCapabilities, LockOptions } from './core/locker.js';
export type { LogFields, Logger, LogLevel } from './core/logger.js';
export type {
  FinalResponse,
  Metadata,
  UploadChanges,
  UploadDraft,
  UploadInfo,
} from './core/upload.js';
export type { UploadEventName, UploadListener, UploadNews } from './core/upload-events.js';
export { isUploadId } from './core/upload-id.js';
export { createHandler, type Handler } from './http/create-handler.js';
export type { HandlerOptions } from './http/handler-options.js';
export { functionHooks, type HookFunctions } from './hooks/function-hooks.js';
export { FileLocker, type FileLockerOptions } from './lockers/file/file-locker.js';
export { MemoryLocker } from './lockers/memory-locker.js';
export type { TusExtension } from './protocol/tus-v1/extensions.js';
export { FileStore, type FileStoreOptions, type FsyncMode } from './stores/file/file-store.js';
export { MemoryStore } from './stores/memory/memory-store.js';
