import type {
  BlockingHook,
  EventName,
  HookRequest,
  HookResponse,
  Hooks,
  UploadEvent,
} from '../core/hooks.js';

type Awaitable<T> = T | Promise<T>;
type BlockingFunction = (
  request: HookRequest,
  options: { readonly signal: AbortSignal },
) => Awaitable<HookResponse | undefined | void>;
type EventFunction = (event: UploadEvent) => Awaitable<void>;

/** Functions of one's own program around uploads. Those that are left out cost nothing. */
export interface HookFunctions {
  /** May this request do this? Throw a TusError, such as ERR_ACCESS_DENIED, to refuse. */
  readonly access?: NonNullable<Hooks['access']>;
  /** Before an upload is made: reject it, or change its ID, metadata or place. */
  readonly preCreate?: BlockingFunction;
  /** When all bytes are stored, before the client is told. A throw has it run again at the client's next request. */
  readonly preFinish?: BlockingFunction;
  /** Before an upload is removed: reject that. */
  readonly preTerminate?: BlockingFunction;
  readonly postCreate?: EventFunction;
  /** Every `progressIntervalMs` while bytes arrive, and once when a request's body has ended. */
  readonly postReceive?: EventFunction;
  readonly postFinish?: EventFunction;
  readonly postTerminate?: EventFunction;
}

/** Hooks made of functions. */
export function functionHooks(functions: HookFunctions): Hooks {
  const blocking = definedEntries<BlockingHook, BlockingFunction>({
    'pre-create': functions.preCreate,
    'pre-finish': functions.preFinish,
    'pre-terminate': functions.preTerminate,
  });
  const events = definedEntries<EventName, EventFunction>({
    'post-create': functions.postCreate,
    'post-receive': functions.postReceive,
    'post-finish': functions.postFinish,
    'post-terminate': functions.postTerminate,
  });
  return {
    blocking: new Set(blocking.keys()),
    events: new Set(events.keys()),
    invoke: async (request, options) =>
      (await blocking.get(request.type)?.(request, options)) ?? {},
    publish: async (event) => events.get(event.type)?.(event),
    ...(functions.access && { access: functions.access }),
  };
}

function definedEntries<K extends string, V>(
  record: Readonly<Record<K, V | undefined>>,
): ReadonlyMap<K, V> {
  const map = new Map<K, V>();
  for (const key in record) {
    const value = record[key];
    if (value !== undefined) map.set(key, value);
  }
  return map;
}
