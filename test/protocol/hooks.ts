import type { HookRequest, HookResponse, Hooks, UploadEvent } from 'tuskd';

export interface RecordingHooks extends Hooks {
  /** `access VERB`, or the name of a hook, in the order they came. */
  readonly calls: string[];
  readonly events: Hooks['events'];
  readonly published: UploadEvent[];
}

type Answers = Partial<
  Record<HookRequest['type'], (request: HookRequest) => Promise<HookResponse>>
>;

/** Hooks that are all on, take note of every call, and answer what they are given. */
export function recordingHooks(
  answers: Answers = {},
  onEvent: (event: UploadEvent) => void = () => undefined,
): RecordingHooks {
  const calls: string[] = [];
  const published: UploadEvent[] = [];
  return {
    calls,
    published,
    blocking: new Set(['pre-create', 'pre-finish', 'pre-terminate']),
    events: new Set(['post-create', 'post-receive', 'post-finish', 'post-terminate']),
    access: async (verb) => void calls.push(`access ${verb}`),
    invoke: async (request) => {
      calls.push(request.type);
      return (await answers[request.type]?.(request)) ?? {};
    },
    publish: async (event) => {
      calls.push(event.type);
      published.push(event);
      onEvent(event);
    },
  };
}
