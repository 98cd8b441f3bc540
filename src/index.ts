// What an embedder imports: the handler, and the pieces to put together. Who writes pieces of his own finds their
// contracts in contracts.ts.
export { type Backend, compose, type Pieces } from './core/compose.js';
export { type StoreChanges, wrapStore } from './core/wrap-store.js';
export type { DataStore, Upload } from './core/data-store.js';
export { type ErrorCode, isTusError, TusError, type TusErrorOptions } from './core/errors.js';
export type {
  HookHttpResponse,
  HookRequest,
  HookResponse,
  Hooks,
  RequestInfo,
  UploadEvent,
  Verb,
} from './core/hooks.js';
export type { Locker } from './core/locker.js';
export type { LogFields, Logger, LogLevel } from './core/logger.js';
export type { Metadata, UploadInfo } from './core/upload.js';
export type { UploadEventName, UploadListener, UploadNews } from './core/upload-events.js';
export type { AllowedOrigins } from './http/allowed-origins.js';
export type { CorsOptions } from './http/cors.js';
export { createHandler, type Handler } from './http/create-handler.js';
export type { HandlerOptions } from './http/handler-options.js';
export { functionHooks, type HookFunctions } from './hooks/function-hooks.js';
export { FileLocker, type FileLockerOptions } from './lockers/file/file-locker.js';
export { MemoryLocker } from './lockers/memory-locker.js';
export type { TusExtension } from './protocol/tus-v1/extensions.js';
export { FileStore, type FileStoreOptions, type FsyncMode } from './stores/file/file-store.js';
export type { SweepOptions, SweepReport, SweptItem } from './uploads/sweep.js';
export type { ExpiryKind } from './uploads/expiry.js';
export { MemoryStore, type MemoryStoreOptions } from './stores/memory/memory-store.js';
