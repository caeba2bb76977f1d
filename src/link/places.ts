import { join } from 'node:path';
import { VoiceError } from '../base/errors.ts';

// `sun_path` holds 108 bytes on Linux, the last of them a NUL (unix(7)).
const SOCKET_PATH_BYTES_MAX = 107;
const SOCKET_SUFFIX = '.sock';
const INCARNATION = /^[\w-]{1,64}$/;

/** Where a node of this incarnation listens for control. */
export function socketPathOf(runDir: string, incarnation: string): string {
  const path = join(runDir, incarnation + SOCKET_SUFFIX);
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return path;
  throw new VoiceError('invalid_argument', `the socket path is over ${SOCKET_PATH_BYTES_MAX} bytes: ${path}`);
}

/** The name a socket has until its node listens on it; never longer than the final one. */
export function newbornPathOf(socketPath: string): string {
  return socketPath.endsWith(SOCKET_SUFFIX)
    ? `${socketPath.slice(0, -SOCKET_SUFFIX.length)}.new`
    : `${socketPath}.new`;
}

/** The socket for siblings, beside the one for control and never longer; control follows no such name. */
export function peerPathOf(socketPath: string): string {
  return socketPath.replace(/\.sock$/, '.peer');
}

/** Where a node of this incarnation spools its events. */
export function spoolDirOf(spoolsDir: string, incarnation: string): string {
  return join(spoolsDir, incarnation);
}

/** The incarnation a file of the run directory is the socket of, if it is one. */
export function incarnationOfSocket(fileName: string): string | undefined {
  if (!fileName.endsWith(SOCKET_SUFFIX)) return undefined;
  return incarnationOfSpool(fileName.slice(0, -SOCKET_SUFFIX.length));
}

/** The incarnation a directory of spools belongs to, if its name can be one. */
export function incarnationOfSpool(directoryName: string): string | undefined {
  return INCARNATION.test(directoryName) ? directoryName : undefined;
}
