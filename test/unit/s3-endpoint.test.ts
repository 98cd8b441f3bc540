import { describe, expect, it } from 'vitest';
import { parseEndpoint, providerAt } from '../../dist/cli/s3/s3-endpoint.js';

describe('an endpoint of S3', () => {
  it.each([
    ['', 'aws'],
    ['https://s3.eu-central-1.amazonaws.com', 'aws'],
    ['https://bucket.vpce-1.s3.us-east-1.vpce.amazonaws.com', 'aws'],
    ['https://s3.cn-north-1.amazonaws.com.cn', 'aws'],
    ['https://account.r2.cloudflarestorage.com', 'r2'],
    ['https://account.eu.r2.cloudflarestorage.com', 'r2'],
    ['https://r2.cloudflarestorage.com.evil.example', 'generic'],
    ['https://notamazonaws.com', 'generic'],
    ['http://127.0.0.1:9000', 'generic'],
  ])('%j is that of %s', (endpoint, provider) => {
    expect(providerAt(parseEndpoint(endpoint, true))).toBe(provider);
  });

  it('speaks https where it does not say, unless told not to', () => {
    expect(parseEndpoint('minio:9000', true)?.href).toBe('https://minio:9000/');
    expect(parseEndpoint('minio:9000', false)?.href).toBe('http://minio:9000/');
    expect(parseEndpoint('http://minio:9000', true)?.href).toBe('http://minio:9000/');
  });

  it.each(['ftp://a', '://', 'https://', 'a b'])('cannot be %j', (endpoint) => {
    expect(() => parseEndpoint(endpoint, true)).toThrow('-s3-endpoint must be a URL');
  });
});
