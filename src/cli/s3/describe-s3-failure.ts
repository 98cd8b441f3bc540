import { errorMessage } from '../error-message.js';
import { s3ErrorCode, s3ErrorStatus } from '../../stores/s3/s3-errors.js';

/** What an operator has to know of a code of S3 or of its SDK. */
const reasons: Readonly<Record<string, string>> = {
  NoSuchBucket: 'it does not exist',
  CredentialsProviderError:
    'there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use a profile or role of AWS',
  InvalidAccessKeyId: 'S3 does not know the access key (InvalidAccessKeyId)',
  SignatureDoesNotMatch: 'the secret key is not that of the access key (SignatureDoesNotMatch)',
  ExpiredToken: 'the credentials have expired (ExpiredToken)',
  PermanentRedirect: 'it is in another region than AWS_REGION says (PermanentRedirect)',
  AuthorizationHeaderMalformed:
    'it is in another region than AWS_REGION says (AuthorizationHeaderMalformed)',
};

/** Why a bucket cannot be used, as the end of a sentence. */
export function describeS3Failure(error: unknown): string {
  const code = s3ErrorCode(error) ?? '';
  const status = s3ErrorStatus(error);
  const reason = reasons[code];
  if (reason !== undefined) return reason;
  if (status === 403)
    return `the credentials may not list it (${code}); see the policy in docs/s3.md`;
  const message = errorMessage(error);
  return status === undefined
    ? `there is no answer (${message})`
    : `it answers with ${status} (${code}: ${message})`;
}
