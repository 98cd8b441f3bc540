import { append, concatenate, create, look, terminate, type Workplace } from './operations.js';
import { isFinal, isFinished, type TrackedUpload } from './tracked-upload.js';

/** Unfinished uploads of a client at once. */
const atOnce = 4;

/** What a client was at when its server died. */
export type OperationName = 'create' | 'append' | 'concatenate' | 'terminate' | 'look';

/** Goes on with random operations until the server is no more; resolves with the one that was not answered. */
export async function work(
  place: Workplace,
  own: readonly TrackedUpload[],
): Promise<OperationName> {
  let name: OperationName = 'look';
  while (!place.client.isLost) {
    const live = own.filter(({ gone, path }) => gone === 'no' && path !== undefined);
    name = await operate(place, live);
  }
  return name;
}

async function operate(place: Workplace, live: readonly TrackedUpload[]): Promise<OperationName> {
  const { random, extensions } = place;
  const open = live.filter((upload) => !isFinished(upload) && !isFinal(upload));
  const chance = random.below(20);
  if (open.length === 0 || (open.length < atOnce && chance < 5)) {
    const isPartial = extensions.has('concatenation') && random.below(3) === 0;
    await create(place, { isPartial });
    return 'create';
  }
  const parts = partsFor(place, live);
  if (chance < 8 && parts.length > 0) {
    await concatenate(place, parts);
    return 'concatenate';
  }
  const target = live[random.below(live.length)];
  if (target !== undefined && chance < 10 && !target.isNeeded) {
    await terminate(place, target);
    return 'terminate';
  }
  const next = open[random.below(open.length)];
  if (next === undefined) return 'look';
  // Who was cut off asks where to go on.
  await look(place, next);
  if (place.client.isLost || next.gone !== 'no') return 'look';
  await append(place, next);
  return 'append';
}

/** Two or three parts in any order, perhaps one of them twice; none where that is not to be. */
function partsFor(place: Workplace, live: readonly TrackedUpload[]): TrackedUpload[] {
  const { random, extensions } = place;
  const waits = extensions.has('concatenation-unfinished');
  const partial = live.filter((upload) => upload.isPartial && (waits || isFinished(upload)));
  if (!extensions.has('concatenation') || partial.length < 2) return [];
  return random.shuffled([...partial, ...partial]).slice(0, 2 + random.below(2));
}
