import { systemClock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { openSupervised } from '../base/supervised.ts';
import { prepareDataDir } from '../config/data-dir.ts';
import type { Settings } from '../config/settings.ts';
import { VERSION } from '../config/version.ts';
import { openLogger } from '../telemetry/logger.ts';
import { openControl, type Control } from './control.ts';

/** Runs the control process until it is told to leave, or its supervisor is gone. */
export async function runControl(settings: Settings): Promise<void> {
  const log = openLogger({ level: settings.logLevel, base: { plane: 'control' } });
  const leave = Promise.withResolvers<void>();
  const paths = prepareDataDir(settings.dataDir);
  let control: Control | undefined;
  // Before anything that takes time: a child beats from its first moment, and an order waits for nobody.
  const supervised = openSupervised({
    clock: systemClock,
    drainDeadlineMs: settings.drainDeadlineMs,
    // The supervisor drains the nodes first; when control is told, their events are here.
    onDrain: () => leave.resolve(),
    onStop: () => leave.resolve(),
    onReload: () => control?.reload(),
    onOrphaned: () => leave.resolve(),
  });
  process.on('uncaughtException', (error) =>
    log.error({ error: error.stack ?? messageOf(error) }, 'uncaught'),
  );
  process.on('unhandledRejection', (error) => log.error({ error: messageOf(error) }, 'unhandled'));
  try {
    control = await openControl({ settings, paths, clock: systemClock, log, version: VERSION });
  } catch (error) {
    // Else it would go on beating, and nobody would start it again.
    await supervised.close();
    throw error;
  }
  supervised.ready(control.firstKey === undefined ? {} : { api_key: control.firstKey });
  await leave.promise;
  await control.close();
  await supervised.close();
  process.exit(0);
}
