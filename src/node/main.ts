import { systemClock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { openSupervised } from '../base/supervised.ts';
import { prepareDataDir } from '../config/data-dir.ts';
import type { Settings } from '../config/settings.ts';
import { VERSION } from '../config/version.ts';
import { openLogger } from '../telemetry/logger.ts';
import { openMediaNode, type MediaNode } from './media-node.ts';

/**
 * Runs one media node until it is told to leave. An orphan stops listening, finishes its calls and leaves.
 */
export async function runNode(
  settings: Settings,
  { index, incarnation }: { readonly index: number; readonly incarnation: string },
): Promise<void> {
  const log = openLogger({ level: settings.logLevel, base: { plane: 'media', node: index, incarnation } });
  const leave = Promise.withResolvers<void>();
  const paths = prepareDataDir(settings.dataDir);
  let node: MediaNode | undefined;
  const leaveAfter = (finishing: Promise<void> | undefined): void => {
    if (finishing === undefined) leave.resolve();
    else finishing.then(leave.resolve, leave.reject);
  };
  // Before anything that takes time: a child beats from its first moment, and an order waits for nobody.
  const supervised = openSupervised({
    clock: systemClock,
    drainDeadlineMs: settings.drainDeadlineMs,
    onDrain: (deadlineMs) => leaveAfter(node?.drain(deadlineMs, 'house')),
    onStop: leave.resolve,
    onReload: () => node?.reload(),
    onOrphaned: () => {
      log.warn({}, 'the supervisor is gone: finishing the calls that are here');
      leaveAfter(node?.finish(settings.callDurationMaxMs));
    },
  });
  // Nothing the outside sends may end the process; what gets here is a mistake of ours, and is told.
  process.on('uncaughtException', (error) =>
    log.error({ error: error.stack ?? messageOf(error) }, 'uncaught'),
  );
  process.on('unhandledRejection', (error) => log.error({ error: messageOf(error) }, 'unhandled'));
  node = await openMediaNode({
    settings,
    paths,
    index,
    incarnation,
    clock: systemClock,
    log,
    version: VERSION,
  });
  // Told by the API, not by the supervisor: it leaves all the same, and another life takes its place.
  void node.leaving.done.then(() => leave.resolve());
  try {
    await Promise.race([node.listen().then(() => supervised.ready({})), leave.promise]);
    await leave.promise;
  } finally {
    await node.close();
    await supervised.close();
  }
  process.exit(0);
}
