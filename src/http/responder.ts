import { TusError, toTusError } from '../core/errors.js';
import type { Answer, Exchange } from '../core/exchange.js';
import { type Logger, silentLogger } from '../core/logger.js';
import type { UploadEventName, UploadListener } from '../core/upload-events.js';
import type { Command, Method } from '../protocol/command.js';
import { selectBytes } from '../protocol/select-bytes.js';
import { checkVersion, decode } from '../protocol/tus-v1/decode.js';
import {
  addExpiry,
  encodeAppended,
  encodeCreated,
  encodeError,
  encodeInspected,
  encodeOptions,
  encodeRead,
  encodeTerminated,
} from '../protocol/tus-v1/encode.js';
import {
  enabledExtensions,
  type Transport,
  type TusExtension,
} from '../protocol/tus-v1/extensions.js';
import type { SweepOptions, SweepReport } from '../uploads/sweep.js';
import { availableAlgorithms } from '../uploads/checksum/digest.js';
import { Uploads, type UploadsOptions } from '../uploads/uploads.js';
import { Cors, type CorsOptions } from './cors.js';
import { publicOrigin } from './origin.js';
import { resolveParts } from './resolve-parts.js';
import { type Base, matchRoute, parseBase, type Route } from './route.js';

export interface ResponderOptions extends UploadsOptions {
  /**
   * Where uploads live: a path, or an absolute URL that then begins every Location; `/files/` by default (tusd's
   * `-base-path`).
   */
  readonly basePath?: string;
  /** Extensions of tus that are neither announced nor served (tusd's `-disable-termination`, …). */
  readonly disableExtensions?: readonly TusExtension[];
  /** No GET of uploads (tusd's `-disable-download`). */
  readonly disableDownload?: boolean;
  /** What pages of other origins may do: everything, but without credentials, by default. */
  readonly cors?: CorsOptions;
  /** No CORS headers, and no origin refused: somebody else does that (tusd's `-disable-cors`). */
  readonly disableCors?: boolean;
  /** Believe X-Forwarded-Host, X-Forwarded-Proto and Forwarded (tusd's `-behind-proxy`). */
  readonly behindProxy?: boolean;
}

/**
 * Turns exchanges into answers, whatever runtime they come from. The order of checks: origin, method override, route,
 * version, headers, and in the operation: access, limits, lock, offset, body.
 */
export class Responder {
  readonly #options: ResponderOptions;
  readonly #logger: Logger;
  readonly #uploads: Uploads;
  readonly #base: Base;
  readonly #extensions: ReadonlySet<TusExtension>;
  readonly #algorithms = availableAlgorithms();
  readonly #creationMethods: readonly Method[];
  readonly #uploadMethods: readonly Method[];
  readonly #cors: Cors | undefined;

  constructor(options: ResponderOptions, transport: Transport) {
    const { capabilities } = options.backend.store;
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    const expires = !options.disableExtensions?.includes('expiration');
    this.#uploads = new Uploads(options, expires);
    this.#base = parseBase(options.basePath ?? '/files/');
    this.#extensions = enabledExtensions(capabilities, transport, {
      disabled: options.disableExtensions ?? [],
      expires: options.expireAfterMs !== undefined,
    });
    this.#creationMethods = this.#extensions.has('creation') ? ['OPTIONS', 'POST'] : ['OPTIONS'];
    const uploadMethods: Method[] = ['OPTIONS', 'HEAD', 'PATCH'];
    if (capabilities.reading && !options.disableDownload) uploadMethods.push('GET');
    if (this.#extensions.has('termination')) uploadMethods.push('DELETE');
    this.#uploadMethods = uploadMethods;
    if (!options.disableCors) {
      this.#cors = new Cors(options.cors ?? {}, [...this.#creationMethods, ...uploadMethods]);
    }
  }

  /** Whether a request target lies below the base path. */
  owns(target: string): boolean {
    return matchRoute(target, this.#base) !== undefined;
  }

  /** The answer to `exchange`. Never rejects: what fails is an answer too. */
  async respond(exchange: Exchange): Promise<Answer> {
    this.#log('RequestIncoming', exchange);
    let isAllowed = false;
    try {
      const verdict = this.#allowsOrigin(exchange);
      // Hardly any server has to wait for it, and none is made to.
      isAllowed = typeof verdict === 'boolean' ? verdict : await verdict;
      if (!isAllowed) throw new TusError('ERR_ORIGIN_NOT_ALLOWED');
      const answer = await this.#answer(exchange, effectiveMethod(exchange));
      return this.#complete(answer, exchange, isAllowed);
    } catch (error) {
      const answer = this.#fail(error, exchange, isAllowed);
      // Nothing is looked at for a page that may not ask.
      if (isAllowed) await this.#addExpiry(answer, exchange);
      return answer;
    }
  }

  /** The answer to an exchange that failed with `error` outside of here. Never rejects. */
  async refuse(exchange: Exchange, error: unknown): Promise<Answer> {
    try {
      return this.#fail(error, exchange, await this.#allowsOrigin(exchange));
    } catch {
      // The error at hand is the one to tell; the other one is told by every other request.
      return this.#fail(error, exchange, false);
    }
  }

  #allowsOrigin(exchange: Exchange): boolean | Promise<boolean> {
    return this.#cors === undefined || this.#cors.allows(exchange);
  }

  #fail(error: unknown, exchange: Exchange, isAllowed: boolean): Answer {
    return this.#complete(this.#encodeError(toTusError(error), exchange), exchange, isAllowed);
  }

  /** "The expiration header MUST be included in every PATCH response", also where the upload was not looked at. */
  async #addExpiry(answer: Answer, exchange: Exchange): Promise<void> {
    if (!this.#extensions.has('expiration') || effectiveMethod(exchange) !== 'PATCH') return;
    const route = matchRoute(exchange.target, this.#base);
    if (typeof route !== 'object' || route.id === undefined) return;
    addExpiry(answer.headers, await this.#uploads.expiresAt(route.id, exchange));
  }

  /** What every answer carries, whatever made it. */
  #complete(answer: Answer, exchange: Exchange, isAllowed: boolean): Answer {
    this.#log('ResponseOutgoing', exchange, answer.status);
    answer.headers['X-Content-Type-Options'] = 'nosniff';
    this.#cors?.addHeaders(answer.headers, exchange, effectiveMethod(exchange), isAllowed);
    return answer;
  }

  /** Calls `listener` whenever such a thing has happened to an upload. Returns what ends that. */
  on(name: UploadEventName, listener: UploadListener): () => void {
    return this.#uploads.on(name, listener);
  }

  /** Removes expired uploads and what crashes have left behind. */
  sweep(options?: SweepOptions): Promise<SweepReport> {
    return this.#uploads.sweep(options);
  }

  /** Goes on with final uploads that a crash has kept from being put together. */
  completeWaiting(): Promise<void> {
    return this.#uploads.completeWaiting();
  }

  /** Interrupts what is being received and resolves when what had arrived is stored. */
  close(): Promise<void> {
    return this.#uploads.close();
  }

  async #answer(exchange: Exchange, method: string): Promise<Answer> {
    const route = matchRoute(exchange.target, this.#base);
    if (route === undefined || route === 'invalid') throw new TusError('ERR_UPLOAD_NOT_FOUND');
    const known = this.#allowedMethod(route, method);
    if (known === 'OPTIONS') {
      return encodeOptions(this.#extensions, this.#options.maxSize, this.#algorithms);
    }
    const { header, mayHaveTrailers } = exchange;
    const request = { method: known, id: route.id, header, mayHaveTrailers };
    checkVersion(request);
    return this.#execute(decode(request, this.#extensions, this.#algorithms), exchange);
  }

  #allowedMethod(route: Route, method: string): Method {
    const allowed = route.id === undefined ? this.#creationMethods : this.#uploadMethods;
    const known = allowed.find((name) => name === method);
    if (known !== undefined) return known;
    throw new TusError('ERR_METHOD_NOT_ALLOWED', { headers: { Allow: allowed.join(', ') } });
  }

  async #execute(command: Command, exchange: Exchange): Promise<Answer> {
    const uploads = this.#uploads;
    switch (command.kind) {
      case 'create': {
        const { draft, withBody, checksum } = command;
        const outcome = await uploads.create(draft, withBody, exchange, checksum);
        return encodeCreated(outcome, this.#location(outcome.upload.id, exchange), withBody);
      }
      case 'concatenate': {
        const parts = this.#resolveParts(command.partUrls, exchange);
        const draft = { ...command.draft, parts };
        const outcome = await uploads.concatenate({ draft, mayWait: command.mayWait }, exchange);
        return encodeCreated(outcome, this.#location(outcome.upload.id, exchange), false);
      }
      case 'append':
        return encodeAppended(await uploads.append(command, exchange));
      case 'inspect':
        return encodeInspected(await uploads.inspect(command.id, exchange), (id) =>
          this.#location(id, exchange),
        );
      case 'read':
        return encodeRead(
          await uploads.read(
            command.id,
            (upload, state) => selectBytes(command.request, upload, state),
            exchange,
          ),
        );
      case 'terminate':
        return encodeTerminated(await uploads.terminate(command.id, exchange));
    }
  }

  #resolveParts(urls: readonly string[], exchange: Exchange): string[] {
    const origins = [this.#base.origin ?? '', this.#publicOrigin(exchange)];
    const authorities = [...origins.map((origin) => origin.split('//')[1]), exchange.host];
    return resolveParts(urls, this.#base, { target: exchange.target, authorities });
  }

  /** An ID is made of what may stand in a path as it is, so there is nothing to encode. */
  #location(id: string, exchange: Exchange): string {
    const origin = this.#base.origin ?? this.#publicOrigin(exchange);
    return `${origin}${this.#base.path}${id}`;
  }

  #publicOrigin(exchange: Exchange): string {
    return publicOrigin(exchange, this.#options.behindProxy ?? false);
  }

  #encodeError(error: TusError, exchange: Exchange): Answer {
    const method = effectiveMethod(exchange);
    if (error.status >= 500 && error.cause !== undefined) {
      const { target: path, requestId } = exchange;
      this.#logger.log('error', 'InternalServerError', { method, path, requestId, error });
    }
    const answer = encodeError(error);
    if (error.uploadId !== undefined) {
      answer.headers['Location'] = this.#location(error.uploadId, exchange);
    }
    if (method !== 'HEAD') return answer;
    // A 404 or 410 may be kept by caches where nothing forbids it.
    return { status: answer.status, headers: { ...answer.headers, 'Cache-Control': 'no-store' } };
  }

  #log(event: string, exchange: Exchange, status?: number): void {
    if (!this.#logger.enabled('debug')) return;
    const { method, target: path, requestId } = exchange;
    this.#logger.log('debug', event, { method, path, requestId, status });
  }
}

/** "If the X-HTTP-Method-Override header is present, it MUST be interpreted as the request's method", whatever that is. */
function effectiveMethod(exchange: Exchange): string {
  return exchange.header('x-http-method-override') ?? exchange.method;
}
