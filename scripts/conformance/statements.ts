/** Whom a statement of the specification obliges. */
export type Bound = 'server' | 'client' | 'both';

/** A demand of tus 1.0.0, in words of our own. */
export interface Statement {
  readonly id: string;
  /** The part of the specification that it is from. */
  readonly section: string;
  readonly binds: Bound;
  /** How strongly, in the specification's words. */
  readonly level: string;
  readonly sentence: string;
}

/** What clients do among themselves: a server has no part in it, so there is nothing to test. */
const clientsOwnAffair = new Set(['T-045', 'T-073', 'T-082', 'T-087', 'T-093']);

/** Whether a server can meet it or fail it. What a client must do is a demand, too: that the server takes it. */
export function needsTest({ id }: Statement): boolean {
  return !clientsOwnAffair.has(id);
}

const form = /^(T-\d{3}) (server|client|both) ((?:MUST|SHOULD|SHALL|MAY)(?: NOT)?) (.+)$/;

function parse(text: string): Statement[] {
  const statements: Statement[] = [];
  let section = '';
  for (const line of text.trim().split('\n')) {
    const heading = line.startsWith('# ');
    if (heading) section = line.slice(2);
    const [, id, binds, level, sentence] = form.exec(line) ?? [];
    if (id !== undefined && isBound(binds) && level !== undefined && sentence !== undefined) {
      statements.push({ id, section, binds, level, sentence });
    } else if (!heading) throw new Error(`not a statement: ${line}`);
  }
  return statements;
}

function isBound(text: string | undefined): text is Bound {
  return text === 'server' || text === 'client' || text === 'both';
}

/** All of tus 1.0.0, in its order. */
export const statements: readonly Statement[] = parse(`
# Core: headers
T-001 server MUST HEAD, PATCH and OPTIONS work, whatever extensions are switched off.
T-002 both MUST An Upload-Offset is an integer that is not negative.
T-003 both MUST An Upload-Length is an integer that is not negative.
T-004 server MUST Tus-Version lists the versions that are served, with commas between them.
T-005 server MUST The version that the server likes best comes first in Tus-Version.
T-006 server MUST Every answer has Tus-Resumable; to OPTIONS it need not.
T-007 client MUST Every request but OPTIONS has Tus-Resumable: one without it is of no version that is served.
T-008 both MUST Tus-Resumable names the version that is spoken.
T-009 server MUST A version that is not served is answered with 412.
T-010 server MUST That 412 has Tus-Version.
T-011 server MUST NOT A request of a version that is not served has no effect.
T-012 server MUST Tus-Extension lists the extensions that are on, with commas between them.
T-013 server MUST With no extension on, there is no Tus-Extension.
T-014 server MUST Tus-Max-Size is an integer that is not negative: the bytes that a whole upload may have.
T-015 server SHOULD A limit that is known is told as Tus-Max-Size.
T-016 server MUST X-HTTP-Method-Override takes the place of the method.
T-017 server MUST The method of the request line then counts for nothing, whatever it is.
T-018 client SHOULD A client that cannot send PATCH or DELETE sends the override: a page may do so, too.
# Core: HEAD
T-019 server MUST HEAD tells the Upload-Offset.
T-020 server MUST It does so at the very beginning and after the end.
T-021 server MUST HEAD tells the Upload-Length as soon as it is known.
T-022 server SHOULD An upload that is not there is 404, 410 or 403, and has no Upload-Offset.
T-023 server SHOULD HEAD succeeds with 200 or 204.
T-024 server MUST No cache may keep an answer to HEAD.
# Core: PATCH
T-025 server SHOULD PATCH puts the bytes of its body at the offset that it names.
T-026 client MUST The body of a PATCH is application/offset+octet-stream: in every spelling of a media type.
T-027 server SHOULD Any other type, or none, is 415.
T-028 client MUST The Upload-Offset of a PATCH is the one that the upload has.
T-029 server MUST Another offset is 409, and the upload stays as it is.
T-030 client MAY Only concatenation sends parts at once: two PATCHes at one offset do not mix.
T-031 client MAY The rest of an upload comes in one PATCH or in many.
T-032 server MUST A PATCH that succeeds is 204.
T-033 server MUST Its answer has the new Upload-Offset.
T-034 server MUST The new offset is the old one and the bytes that this PATCH has stored.
T-035 server SHOULD PATCH of an upload that is not there is 404.
T-036 both SHOULD Errors of the network are noticed, and treated in a way that can be foreseen.
T-037 both MAY They are noticed by errors of the socket and by time limits.
T-038 both SHOULD A time limit that is exceeded closes the connection.
T-039 server SHOULD As many of the bytes that arrive are stored as can be.
# Core: OPTIONS
T-040 client MAY OPTIONS asks for what the server can do: at the creation URL and at an upload.
T-041 server MUST A successful answer to OPTIONS has Tus-Version.
T-042 server MAY It may have Tus-Extension and Tus-Max-Size.
T-043 client SHOULD NOT OPTIONS comes without Tus-Resumable, and succeeds.
T-044 server MUST Tus-Resumable of an OPTIONS request is not looked at.
# Creation
T-045 client SHOULD A client asks by OPTIONS whether there is an extension before it uses it.
T-046 both SHOULD Creation is there.
T-047 server MUST It is announced as creation.
T-048 both MUST Upload-Defer-Length has no value but 1.
T-049 both MUST Where the length is known there is no Upload-Defer-Length.
T-050 both MUST Upload-Metadata is one pair of key and value or more, with commas between them.
T-051 both MUST One space is between a key and its value.
T-052 both MUST NOT A key has neither space nor comma, and is not empty.
T-053 both SHOULD A key is ASCII.
T-054 both MUST A value is Base64.
T-055 both MUST No key comes twice.
T-056 both MAY A value may be empty, with the space before it or without.
T-057 server SHOULD Metadata is made harmless before it is sent in a header.
T-058 client MUST A POST to the creation URL makes an upload: no other request does.
T-059 client MUST It has an Upload-Length or Upload-Defer-Length: 1.
T-060 server SHOULD Upload-Defer-Length with another value is 400.
T-061 client MUST A deferred length comes with a PATCH, once it is known.
T-062 both MUST NOT A length that is known does not change.
T-063 server MUST Until then, HEAD says Upload-Defer-Length: 1 every time.
T-064 server MUST That lengths may be deferred is announced as creation-defer-length.
T-065 client MAY An upload of no bytes is complete when it is made.
T-066 client MAY A creation may have Upload-Metadata or none.
T-067 server MAY The server may use the metadata, or refuse an upload for it.
T-068 server MUST HEAD gives the Upload-Metadata back as it came.
T-069 server MUST More than the maximum is 413.
T-070 server MUST A creation that succeeds is 201.
T-071 server MUST The 201 has a Location.
T-072 server MAY The Location is absolute or relative.
T-073 client MUST The bytes are then sent as the core protocol says.
# Creation with upload
T-074 client MAY The POST that makes an upload may bring bytes of it.
T-075 server MUST That is announced as creation-with-upload.
T-076 server MUST NOT It is not there without creation.
T-077 client MAY The bytes may be all or some; the rules of PATCH hold for them.
T-078 client MUST The body is application/offset+octet-stream; a body of another type is no data of the upload.
T-079 server SHOULD As many bytes are taken as can be.
T-080 server MUST The answer has an Upload-Offset.
T-081 server MUST It is the offset behind the bytes that were taken.
T-082 client SHOULD A client asks before whether there is this extension.
T-083 client SHOULD A client waits for 100 Continue: refusals come before it, and before the body.
# Expiration
T-084 server MAY What has expired unfinished may be removed; what is finished stays.
T-085 server MUST That uploads expire is announced as expiration.
T-086 server MAY Uploads that are not finished may be removed after a time.
T-087 client SHOULD A client looks at Upload-Expires before it resumes.
T-088 server MUST Every answer to PATCH has Upload-Expires, while the upload may expire.
T-089 server MUST So has the answer to the creation, where the time is known by then.
T-090 server MAY The time may change.
T-091 server SHOULD An upload that has gone is 404 or 410.
T-092 server SHOULD It is 410 where the server knows that it was there.
T-093 client SHOULD The client then begins anew.
T-094 server MUST The time is a date of HTTP.
# Checksum
T-095 both MAY Each PATCH can be verified by a checksum.
T-096 server MUST That is announced as checksum.
T-097 client MAY A PATCH may have Upload-Checksum, and so may a creation with a body.
T-098 server MUST When all has arrived, this body is verified by the algorithm that was named.
T-099 server MAY An algorithm that is not known is 400.
T-100 server MAY A checksum that does not fit is 460.
T-101 server MAY One that fits is 204.
T-102 server MUST Bytes that were refused for their checksum are thrown away.
T-103 server MUST NOT The upload and its offset stay as they were.
T-104 server MUST sha1 is among the algorithms.
T-105 server MUST Names of algorithms are ASCII in lower case.
T-106 server MUST Tus-Checksum-Algorithm is in the answer to OPTIONS.
T-107 server MUST It lists the algorithms with commas between them.
T-108 client MUST Upload-Checksum is the algorithm, one space, and the checksum in Base64.
T-109 client MAY The checksum may come as a trailer.
T-110 server MUST That is announced as checksum-trailer.
# Termination
T-111 server MUST Termination is announced as termination.
T-112 server SHOULD DELETE frees what an upload takes.
T-113 server MUST DELETE of an upload is 204, finished or not.
T-114 server SHOULD What comes later is 404 or 410.
# Concatenation
T-115 server MUST Concatenation is announced as concatenation.
T-116 server SHOULD NOT Parts are not processed before they are joined.
T-117 server MUST A final upload is as long as its parts together.
T-118 client MUST A final upload is made by a POST with Upload-Concat.
T-119 client MUST Its value is final; and the URLs of the parts, with spaces between them.
T-120 server MUST The parts are joined in the order of the list.
T-121 client SHOULD The parts are complete by then: those that are not are refused where nobody waits for them.
T-122 client MUST NOT A final upload is made without an Upload-Length.
T-123 client MAY With the extension for it, parts may still be under way.
T-124 server MUST That is announced as concatenation-unfinished.
T-125 server SHALL NOT Metadata of the parts is not that of the final upload.
T-126 client SHOULD Its metadata comes with its own creation.
T-127 server MAY Parts may be removed once they are joined.
T-128 client MAY A part may come several times in one list, and in several lists.
T-129 server MUST PATCH of a final upload is 403.
T-130 server MUST NOT It changes neither the final upload nor its parts.
T-131 server SHOULD NOT HEAD of a final upload has no Upload-Offset before all is joined.
T-132 server MUST Then Upload-Offset and Upload-Length are there, and are equal.
T-133 server MUST HEAD of a part has an Upload-Offset.
T-134 server MUST HEAD of a final upload has an Upload-Length as soon as it can be reckoned.
T-135 server MUST HEAD of parts and of final uploads gives Upload-Concat back as it came.
T-136 client MUST Parts and final uploads are both made with an Upload-Concat.
T-137 client MUST That of a part is partial, and nothing else is.
T-138 client MAY URLs of parts are absolute or relative, and have no spaces.
`);

/** What the specification leaves open, or where it would be read in two ways: how it is decided here. */
export const decisions: Readonly<Record<string, string>> = {
  'D-1': 'HEAD and GET may come without Tus-Resumable; a wrong value is 412 for them, too.',
  'D-2': 'A Content-Type is compared as a media type: case and parameters do not matter.',
  'D-3': 'An empty Upload-Metadata is none.',
  'D-4': 'A length that is known may be told again.',
  'D-5': 'Bytes with a checksum count once it fits; where the connection breaks they are gone.',
  'D-6': 'The method override comes first: before routes and before access is checked.',
  'D-7': 'The newest request wins: the one before it keeps its bytes and is answered 400.',
  'D-13': 'Nothing is remembered of what was removed: it is 404. 410 is for what has expired.',
  'D-17': 'The record of an upload has the keys of tusd, and what came is kept to the byte.',
  'D-18':
    'A Content-Length that is too much is 413 before the body; bytes are counted all the same.',
  'D-19': 'Location is absolute, OPTIONS is 200, and %2F in an ID is a slash.',
  'D-20': 'A finish step that failed runs again with the next HEAD or PATCH; until then it is 503.',
  'D-21': 'HEAD waits for a writer to let go, but takes no lock.',
};
