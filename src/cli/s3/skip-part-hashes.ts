import type { S3 } from '@aws-sdk/client-s3';

/** Makes a client sign parts without their content. */
export function skipPartHashes(client: S3): void {
  client.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        if (commandName === 'UploadPartCommand' && hasHeaders(args.request)) {
          args.request.headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD';
        }
        return next(args);
      },
    { step: 'build', name: 'tuskdSkipPartHashes' },
  );
}

function hasHeaders(request: unknown): request is { readonly headers: Record<string, string> } {
  return typeof request === 'object' && request !== null && 'headers' in request;
}
