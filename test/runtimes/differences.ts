import type { Runtime } from './runtimes.js';

const told100 = 'the runtime says 100 Continue before anybody has looked at the request';
const noBodyOfGet = 'a web Request with the method GET has no body';
const resolvesDots =
  'the runtime takes dots out of the path, as URLs have it: what is left is the creation URL';
const answersItself =
  'the runtime answers what it does not take for a request, with a status of its own';
const keepsOpen = 'the runtime keeps a connection open on which it has answered early';
const forgets = 'Deno throws away what nobody has read yet of a body that breaks off';
const readsAll = 'the runtime reads all that they send before they look: 10 GiB';
const noLength = 'the runtime sends every stream in chunks, and takes Content-Length away';
const lengthOfHead = 'the runtime says Content-Length: 0 of an answer to HEAD';
const noMethod = 'the runtime knows no Request with this method';
const ownVary = 'Next.js adds a Vary of its own to every answer';
const ownProxyHeaders =
  'Next.js sets X-Forwarded-Host and X-Forwarded-Proto, which come before Forwarded';

const headersOfHttp2 = 'node:http2 takes no more than 64 KiB of headers';
const windowOfHttp2 =
  'a client sends as much as its window holds, and whoever passes it on has read it';

const http2 = {
  'field 39: 921600 bytes of it are kept and told': headersOfHttp2,
  'field 39: a hundred thousand keys are no trouble': headersOfHttp2,
  'field 40: many parts, in a long header, are put together in order; too many are refused':
    headersOfHttp2,
  'field 28: by a pattern, which is given nothing endless to try': headersOfHttp2,
  'a header of a mebibyte of commas holds nobody up': headersOfHttp2,
  'field 53: of two Range headers none counts': 'node:http2 sends Range once at most',
  'field 50: headers that come a byte at a time are cut off':
    'no header is passed on before all of them are here',
  'requests that come all at once on one connection are answered in their order':
    'streams of HTTP/2 have no order',
  'field 49: the absolute form of a URL is ours too': 'a :path is never absolute',
  'field 2: a whole body whose client has gone before it was asked for is stored':
    'RST_STREAM overtakes the body before it',
  'a client that takes nothing is given up after the timeout':
    'its connection is closed as an idle one, in the moment in which it asks',
  'the rest is read for a MiB at most, and the connection is closed within about a second':
    windowOfHttp2,
};

const hono = {
  'T-011: after 412 nothing has happened: no upload, no byte, no hook, no 100': told100,
  'T-028 T-029: another offset is 409: nothing stored, nothing read, no hook': told100,
  'T-083 D-18 field 49: a POST that is refused gets no 100, and its connection is closed': told100,
  'is asked before the lock and the body: no 100, nothing made, nothing changed': told100,
  'D-18: a Content-Length over the limit is 413 without 100, and bytes are counted anyway': told100,
  'field 49: the absolute form of a URL is ours too': told100,
  'T-017 D-6: the actual method does not matter, whatever it is': noBodyOfGet,
  'field 45: the ID "." names no upload': resolvesDots,
  'field 47: is refused before its body or a hook is asked: no 100': told100,
  'outside the base path there is nothing': answersItself,
};

/** Tests of `test/protocol` that a runtime cannot pass, by their names, and why. */
export const differences: Readonly<
  Record<Exclude<Runtime, 'node'>, Readonly<Record<string, string>>>
> = {
  http2,
  hono,
  bun: {
    'D-18: a Content-Length over the limit is 413 without 100, and bytes are counted anyway':
      told100,
    'field 49: the absolute form of a URL is ours too': told100,
    'T-017 D-6: the actual method does not matter, whatever it is': noBodyOfGet,
    'field 45: the ID "." names no upload': resolvesDots,
    'field 45: the ID "a b" names no upload': answersItself,
    'outside the base path there is nothing': answersItself,
    '"PATCH /files/x HTTP/9.9\\r\\n\\r\\n" is 400, its connection is closed and the server goes on':
      answersItself,
    'CONNECT is closed, and changes nothing': answersItself,
    'a silent client is let go within about a second': keepsOpen,
    'a download that is asked for with a body that never comes does not hold the connection':
      keepsOpen,
    'tells the length, so that a client knows when bytes are missing': noLength,
    'field 48: it tells no length of a body that GET would not have': lengthOfHead,
  },
  deno: {
    'D-18: a Content-Length over the limit is 413 without 100, and bytes are counted anyway':
      told100,
    'field 49: the absolute form of a URL is ours too': told100,
    'T-017 D-6: the actual method does not matter, whatever it is': noBodyOfGet,
    '"PATCH /files/x HTTP/1.1\\r\\n\\r\\n" is 400, its connection is closed and the server goes on':
      'Deno serves a request without a Host',
    'CONNECT is closed, and changes nothing': answersItself,
    'field 38: a chunk that is none ends the connection, and what came before it is kept': forgets,
    'field 38: a body shorter than its Content-Length is kept as far as it came': forgets,
    'a hundred of a hundred clients that only look once they cannot send any more see the 413':
      readsAll,
    'field 50: where the request ends soon, the connection serves the next one':
      'Deno closes the connection where its answer is out before the body is all there',
    'a silent client is let go within about a second': keepsOpen,
    'a download that is asked for with a body that never comes does not hold the connection':
      keepsOpen,
    'field 48: it tells no length of a body that GET would not have': lengthOfHead,
  },
  next: {
    'D-18: a Content-Length over the limit is 413 without 100, and bytes are counted anyway':
      told100,
    'field 49: the absolute form of a URL is ours too': told100,
    'T-017 D-6: the actual method does not matter, whatever it is': noBodyOfGet,
    'TRACE is 405 and echoes nothing': noMethod,
    'methods that nobody knows are 405, and change nothing':
      'Next.js gives a route the methods of HTTP only, and answers others itself',
    'field 47: a preflight allows all methods and headers of the protocol': ownVary,
    'field 47: every answer is readable for the page, errors and downloads too': ownVary,
    'field 47: an answer to no page varies by origin too, or a cache would give it to one': ownVary,
    'field 47: switched off, somebody else sends the headers': ownVary,
    'tells the length, so that a client knows when bytes are missing': noLength,
    'a hundred of a hundred clients that only look once they cannot send any more see the 413':
      readsAll,
    'a silent client is let go within about a second': keepsOpen,
    'field 45: the ID "%" names no upload': answersItself,
    'field 45: the ID "%zz" names no upload': answersItself,
    'field 45: the ID "%ff" names no upload': answersItself,
    'field 45: the ID "." names no upload': resolvesDots,
    'field 45: the ID "a\\b" names no upload': answersItself,
    'outside the base path there is nothing': answersItself,
    'field 46 T-072: behind a proxy, {"Forwarded":"for=1.2.3.4;host=\\"a.example:8443\\";proto=https"} begins it with https://a.example:8443/files/ID':
      ownProxyHeaders,
    'field 46 T-072: behind a proxy, {"Forwarded":"Host=a.example;Proto=HTTPS, host=b.example"} begins it with https://a.example/files/ID':
      ownProxyHeaders,
    'field 46 T-072: behind a proxy, {"Forwarded":"host=\\"[2001:db8::1]\\""} begins it with http://[2001:db8::1]/files/ID':
      ownProxyHeaders,
    'field 46: without a proxy such headers are nothing, garbage or not':
      'Next.js takes the scheme from X-Forwarded-Proto, whoever sent it',
  },
};
