import type { Lifetime } from '../../base/lifetime.ts';
import type { Registry } from '../../cluster/registry.ts';
import { publicUrlOf } from '../../config/addresses.ts';
import { costRatesOf } from '../../config/cost-rates.ts';
import type { AskResult, ProviderControlAsk } from '../../events/asks.ts';
import type { CallView } from '../../events/call-view.ts';
import { transcriptUrl } from '../../events/completion.ts';
import { openControlEnd, type ControlEnd } from '../../link/control-end.ts';
import type { ProviderControl } from '../../providers/control/provider-control.ts';
import type { Store } from '../../store/store.ts';
import { answeredBy } from '../answered-asks.ts';
import type { Tell } from '../audience.ts';
import type { HostCluster } from '../cluster/host-cluster.ts';
import type { ControlFigures } from '../control-figures.ts';
import type { ControlOptions } from '../control.ts';
import type { Fleet } from '../fleet.ts';
import { answeredFrom } from '../host-registry.ts';
import type { HostNodes } from '../nodes.ts';
import { ForgottenCalls } from '../orphans/forgotten-calls.ts';
import { OrphanSweep, type OrphanSweepOptions } from '../orphans/orphan-sweep.ts';
import type { HostPostCall } from '../post-call/host-post-call.ts';
import type { openQueues } from '../queues/open-queues.ts';
import { Reaper } from '../reaper.ts';
import type { ToolRequests } from '../tools/tool-requests.ts';

/** Whom nodes speak to over the link. */
export interface LinkParts {
  readonly store: Store;
  readonly registry: Registry;
  readonly cluster: Pick<HostCluster, 'elsewhere'>;
  readonly fleet: Fleet;
  readonly nodes: HostNodes;
  readonly figures: ControlFigures;
  readonly providers: ProviderControl;
  readonly tools: ToolRequests;
  readonly queues: ReturnType<typeof openQueues>;
  readonly postCall: Pick<HostPostCall, 'sumUp'>;
  readonly tell: Tell;
}

/** The link to this host's nodes, and who ends the calls of those that are dead. */
export function openLink(
  options: ControlOptions,
  parts: LinkParts,
  lifetime: Lifetime,
): { readonly link: ControlEnd; readonly sweep: OrphanSweep } {
  const { paths, clock, log, settings } = options;
  const { store, registry, fleet, nodes, figures, providers, tools, queues, tell } = parts;
  const { journal } = store;
  const { resumeWindowMs, redisUrl } = settings;
  const reaper = lifetime.own(openReaper(options, parts));
  const opened = openControlEnd({
    runDir: paths.runDir,
    spoolsDir: paths.spoolDir,
    journal: {
      commit: (batch) => tell(figures.timed(journal.commit(batch))),
      cursorOf: (incarnation) => journal.cursorOf(incarnation),
      forgetCursor: (incarnation) => journal.forgetCursor(incarnation),
    },
    onConnected: (node) => nodes.welcome(node),
    onDisconnected: (node) => nodes.left(node),
    onAsk: answeredBy({
      provider_control: (ask) => orderedAt(providers, ask),
      agent_tool: (ask) => tools.answer(ask),
      registry: (ask) => answeredFrom(registry, ask),
      queue_handover: (ask, incarnation) => queues.answer(ask, incarnation),
      sum_up: (ask) => parts.postCall.sumUp(ask),
    }),
    onNodeDead: (incarnation) => reaper.reap(incarnation),
    clock,
    log,
  });
  const link = lifetime.own(opened);
  const nodesHere = (): readonly string[] =>
    link.nodes().flatMap(({ incarnation, isConnected }) => (isConnected ? [incarnation] : []));
  const end: OrphanSweepOptions['end'] = (orphan) => reaper.endOrphan(orphan);
  const orphans = orphansFor(options, parts);
  const sweep = lifetime.own(
    new OrphanSweep({ registry: orphans, nodesHere, resumeWindowMs, end, clock, log }),
  );
  // Where hosts share a store, who is not followed here may well live elsewhere: the sweep asks the registry.
  if (redisUrl === undefined) {
    reaper.watchForStrays((incarnation) => !fleet.isAlone || link.isFollowing(incarnation));
  }
  return { link, sweep };
}

/** Whose calls are looked for. Where hosts share a store it knows those that their registry has forgotten. */
function orphansFor(
  { settings, clock }: ControlOptions,
  { store, registry, cluster }: LinkParts,
): OrphanSweepOptions['registry'] {
  if (store.fleet === undefined || settings.redisUrl === undefined) return registry;
  return new ForgottenCalls({
    registry,
    journal: store.journal,
    region: settings.region,
    elsewhere: () => cluster.elsewhere(),
    clock,
  });
}

/** Ends the calls of nodes that are gone, in their name. */
function openReaper(
  { settings, clock, log }: ControlOptions,
  { store: { journal }, registry, figures, tell }: LinkParts,
): Reaper {
  const { resumeWindowMs } = settings;
  return new Reaper({
    journal,
    finish: (callId, make) => tell(journal.finish(callId, make)),
    onLost: (call: CallView) => figures.callLost(call),
    postCall: {
      rates: costRatesOf(settings),
      transcriptUrl: (callId) => transcriptUrl(publicUrlOf(settings), callId),
    },
    registry,
    resumeWindowMs,
    clock,
    log,
  });
}

async function orderedAt(providers: ProviderControl, ask: ProviderControlAsk): Promise<AskResult> {
  const refusal = await providers.carryOut(ask);
  if (refusal === undefined) return { ok: true, value: null };
  return { ok: false, fault: refusal.fault, detail: refusal.detail };
}
