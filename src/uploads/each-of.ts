/** Each may be a trip to the disk or over the network. */
const atOnce = 16;

/** Does `work` for each of `items`, some at a time; after a failure nothing more begins. */
export async function eachOf<T>(
  items: Iterable<T>,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let item = queue[next++]; item !== undefined; item = queue[next++]) {
      try {
        await work(item);
      } catch (error) {
        next = queue.length;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
