import type { UploadInfo } from '../../../dist/contracts.js';
import type { Backend } from './backend.js';
import { appendRest, type Workplace } from './operations.js';
import { describeUpload, isFinal, isFinished, type TrackedUpload } from './tracked-upload.js';

/** How long a final upload may take whose parts are complete, in milliseconds. */
const completionLimitMs = 10_000;

type Check = Pick<Workplace, 'client' | 'basePath' | 'report' | 'isMortal'>;

/** Every upload is as its clients were told, or better; what is found becomes what was told. */
export async function checkUploads(
  place: Check,
  backend: Backend,
  uploads: readonly TrackedUpload[],
): Promise<void> {
  await findUnanswered(place, backend, uploads);
  for (const upload of uploads) {
    if (upload.path !== undefined) await checkUpload(place, backend, upload, upload.path);
  }
}

/** An upload that was made although its client never heard of it is one like all others. */
async function findUnanswered(
  { basePath, report }: Check,
  backend: Backend,
  uploads: readonly TrackedUpload[],
): Promise<void> {
  for (const { id, kind } of await backend.list()) {
    if (kind !== 'upload') continue;
    const path = basePath + id;
    const { metadata } = await infoOf(backend, id);
    const upload = uploads.find(({ number }) => String(number) === metadata['number']);
    if (upload === undefined) report(`Nobody created ${id}`);
    else if (upload.path === undefined) upload.path = path;
    else if (upload.path !== path) report(`${id} is a second ${describeUpload(upload)}`);
  }
}

async function infoOf({ store }: Backend, id: string): Promise<UploadInfo> {
  try {
    return await (await store.getUpload(id)).getInfo();
  } catch (error) {
    throw new Error(`${id} is listed, and cannot be had: ${String(error)}`, { cause: error });
  }
}

async function checkUpload(
  place: Check,
  backend: Backend,
  upload: TrackedUpload,
  path: string,
): Promise<void> {
  const { client, report, isMortal } = place;
  const answer = await client.send('HEAD', path);
  const status = answer?.status ?? 0;
  if (status === 404 && (upload.gone !== 'no' || (isMortal && !isFinished(upload)))) {
    upload.gone = 'yes';
    return;
  }
  if (answer === undefined || status !== 200) {
    report(`HEAD is answered with ${status}: ${describeUpload(upload)}`);
    return;
  }
  if (upload.gone === 'yes') report(`It is back: ${describeUpload(upload)}`);
  upload.gone = 'no';
  const length = answer.headers['upload-length'];
  if (
    length === undefined
      ? upload.isLengthKnown && !isFinal(upload)
      : Number(length) !== upload.source.length
  )
    report(`Its length is ${String(length)}: ${describeUpload(upload)}`);
  const told = answer.headers['upload-offset'];
  if (told === undefined && isFinal(upload) && upload.told === 0) return;
  const offset = Number(told);
  if (!(offset >= upload.told && offset <= upload.sent))
    report(`HEAD tells ${String(told)}: ${describeUpload(upload)}`);
  if (isFinal(upload) && offset !== upload.source.length)
    report(`A final upload has offset ${offset}: ${describeUpload(upload)}`);
  upload.told = offset;
  if (length !== undefined) upload.isLengthKnown = true;
  if (backend.canReadUnfinished || isFinished(upload))
    await checkBytes({ client, report }, upload, path);
}

/** The bytes up to the offset are the source's. */
async function checkBytes(
  { client, report }: Pick<Check, 'client' | 'report'>,
  upload: TrackedUpload,
  path: string,
): Promise<void> {
  const answer = await client.send('GET', path);
  const expected = upload.source.subarray(0, upload.told);
  if (answer?.status !== 200) {
    // Some servers have no content to send of an empty upload.
    if (answer?.status === 204 && expected.length === 0) return;
    report(`GET is answered with ${answer?.status}: ${describeUpload(upload)}`);
  } else if (!answer.body.equals(expected)) {
    const at = expected.findIndex((byte, index) => byte !== answer.body[index]);
    report(
      `${answer.body.length} bytes, from ${at} on not the source's: ${describeUpload(upload)}`,
    );
  }
}

/** Every upload that is left can be finished, is right then, and goes when it is told to. */
export async function finishUploads(
  place: Workplace,
  backend: Backend,
  uploads: readonly TrackedUpload[],
): Promise<void> {
  const left = uploads.filter(({ path, gone }) => path !== undefined && gone !== 'yes');
  for (const upload of left) {
    if (!isFinished(upload) && !isFinal(upload)) await appendRest(place, upload);
  }
  for (const upload of left) {
    if (isFinal(upload)) {
      // It waits in vain for a part that expired.
      if (!upload.parts.every(isFinished) && !isFinished(upload)) continue;
      await untilComplete(place, upload);
    }
    upload.told = upload.source.length;
    await checkUpload(place, backend, upload, upload.path ?? '');
  }
  for (const upload of left) {
    const answer = await place.client.send('DELETE', upload.path ?? '');
    if (answer?.status !== 204)
      place.report(`DELETE is answered with ${answer?.status}: ${describeUpload(upload)}`);
    upload.gone = 'yes';
    const gone = await place.client.send('HEAD', upload.path ?? '');
    if (gone?.status !== 404)
      place.report(`HEAD is then answered with ${gone?.status}: ${describeUpload(upload)}`);
  }
}

/** A final upload may need a moment for its bytes once its parts are complete. */
async function untilComplete({ client, report }: Check, upload: TrackedUpload): Promise<void> {
  const limit = performance.now() + completionLimitMs;
  while (performance.now() < limit) {
    const answer = await client.send('HEAD', upload.path ?? '');
    if (answer === undefined || answer.headers['upload-offset'] !== undefined) return;
  }
  report(`Not complete after ${completionLimitMs} ms: ${describeUpload(upload)}`);
}
