import pino from 'pino';
import { MIB } from '../base/units.ts';
import { redactLine } from './redaction.ts';

/** The house's logger is pino's; rooms declare the two or three methods they call. */
export type Logger = pino.Logger;

export interface LoggerOptions {
  /** A level of pino, or `silent`. */
  readonly level: string;
  /** On every line: `plane` (serve, control, node), and the node's number. */
  readonly base: { readonly [name: string]: string | number };
  /** Where lines go, unless to stdout. */
  readonly destination?: pino.DestinationStream;
}

/** Of this process: lines that nobody read. */
export const logStats = { droppedLines: 0 };

/** A logger that writes JSON lines to stdout, without any secret; it drops lines rather than wait. */
export function openLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level,
      base: { ...options.base, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: redactLine },
    },
    options.destination ?? openStdout(),
  );
}

// Not synchronous: a terminal that is scrolled up must not stop the audio. What nobody reads has a limit.
function openStdout(): pino.DestinationStream {
  const stdout = pino.destination({ fd: 1, sync: false, maxLength: MIB });
  stdout.on('drop', () => logStats.droppedLines++);
  return stdout;
}
