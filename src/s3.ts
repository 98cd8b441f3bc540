export type { PlaceObject } from './stores/s3/create-upload.js';
export type {
  ListedS3Object,
  ListedS3Part,
  MultipartAddress,
  ObjectAddress,
  PartAddress,
  S3Api,
  S3CallOptions,
} from './stores/s3/s3-api.js';
export type { S3Presign } from './stores/s3/s3-means.js';
export { type S3Profile, s3Profiles, type S3Provider } from './stores/s3/s3-profile.js';
export { S3Store, type S3StoreOptions } from './stores/s3/s3-store.js';
