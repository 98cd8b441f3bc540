// What a program imports that has web Requests to answer; everything else is in the main entry.
export {
  createFetchHandler,
  type FetchHandler,
  type RequestDetails,
} from './http/fetch/create-fetch-handler.js';
export type { AllowedOrigins } from './http/allowed-origins.js';
export type { CorsOptions } from './http/cors.js';
export type { HandlerOptions } from './http/handler-options.js';
