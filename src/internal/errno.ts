/** Whether `error` is a system call's, with one of these codes. */
export function isErrno(error: unknown, ...codes: string[]): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    codes.includes(error.code)
  );
}

/** Does `work`, and does not mind if it fails with one of these codes. Resolves with whether it worked. */
export async function unless(work: () => unknown, ...codes: string[]): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (isErrno(error, ...codes)) return false;
    throw error;
  }
}
