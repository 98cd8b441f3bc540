import type { RequestContext } from '../core/exchange.js';
import type { HookHttpResponse } from '../core/hooks.js';
import type { UploadInfo } from '../core/upload.js';
import { type Environment, logUpload } from './environment.js';
import type { LimitedBody } from './limited-body.js';
import { isWanted, publish } from './run-hooks.js';

/** Publishes post-receive every now and then while bytes arrive, if anybody wants to know. */
export class Progress {
  readonly #env: Environment;
  readonly #upload: UploadInfo;
  readonly #body: LimitedBody;
  readonly #context: RequestContext;
  readonly #counts: boolean;
  readonly #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  #stopResponse: HookHttpResponse | undefined;

  /**
   * @param upload as it was before `body`
   * @param counts whether the bytes count as they come; otherwise the offset is told that holds until they are verified
   */
  constructor(
    env: Environment,
    upload: UploadInfo,
    body: LimitedBody,
    context: RequestContext,
    counts: boolean,
  ) {
    this.#env = env;
    this.#upload = upload;
    this.#body = body;
    this.#context = context;
    this.#counts = counts;
    if (isWanted(env, 'post-receive')) {
      this.#timer = setInterval(() => this.#report(), env.progressIntervalMs);
    }
  }

  /** A hook wants the upload gone. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** What that hook wants to be different in the answer. */
  get stopResponse(): HookHttpResponse | undefined {
    return this.#stopResponse;
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #report(): void {
    const bytes = this.#counts ? this.#body.received : 0;
    const received = { ...this.#upload, offset: this.#upload.offset + bytes };
    void publish(this.#env, 'post-receive', received, this.#context, (response) =>
      this.#stop(response),
    );
  }

  #stop(response: HookHttpResponse | undefined): void {
    this.#isStopped = true;
    this.#stopResponse = response;
    logUpload(this.#env, 'info', 'HookStopUpload', this.#context, { id: this.#upload.id });
    this.#body.stop('stopped');
  }
}
