import type { Dialect } from './dialect.ts';
import { nativeDialect } from './native/dialect.ts';
import { twilioDialect } from './twilio/dialect.ts';

/** Every protocol the house speaks. A new one is added here and nowhere else. */
export const DIALECTS: readonly Dialect[] = [nativeDialect, twilioDialect];

/** The dialect of that name, as a path or a flag gives it. */
export function dialectOf(name: string): Dialect | undefined {
  return DIALECTS.find((dialect) => dialect.name === name);
}
