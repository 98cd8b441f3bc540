/** Why the server cannot start, in one line for the operator: their surroundings, not a defect of the program. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** Does one step of the start, and says which if it fails. */
export async function startStep<Result>(
  purpose: string,
  step: () => Promise<Result>,
): Promise<Result> {
  try {
    return await step();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(`unable to ${purpose}: ${reason.replaceAll(/\s+/g, ' ')}`, {
      cause: error,
    });
  }
}
