import { IN_FLIGHT_LIMITS, InFlightBudget } from '../../../src/delivery/lanes/in-flight.ts';
import { LANE_LIMITS, newLaneStats, type LaneLimits } from '../../../src/delivery/lanes/lane-entry.ts';
import { EndpointLanes, type LanePorts } from '../../../src/delivery/lanes/lanes.ts';
import type { AttemptFinished, HookSent } from '../../../src/delivery/observer.ts';
import type { Endpoint } from '../../../src/delivery/outbox.ts';
import type { CommittedEvent } from '../../../src/events/journal.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { FakeSender } from '../../fakes/hook-sender.ts';
import { anEndpoint, anEnvelope, FakeOutbox } from '../../fakes/outbox.ts';

/** A breaker that never opens. */
const WELL: LanePorts['health'] = {
  gate: 'open',
  begin: () => 0,
  end: () => undefined,
  onChange: () => undefined,
  update: () => undefined,
  close: () => undefined,
};

/** What lanes of one endpoint work with, and what they told. */
export class LaneDesk {
  readonly clock = new FakeClock({ nowMs: 1_000 });
  readonly outbox = new FakeOutbox([anEndpoint()]);
  readonly sender = new FakeSender(this.clock);
  readonly stats = newLaneStats();
  readonly sent: HookSent[] = [];
  readonly finished: AttemptFinished[] = [];
  readonly disabled: string[] = [];
  roomMade = 0;

  lanesOf(endpoint: Partial<Endpoint> = {}, limits: Partial<LaneLimits> = {}): EndpointLanes {
    const { clock, outbox, sender, stats, sent, finished, disabled } = this;
    return new EndpointLanes(anEndpoint(endpoint), {
      clock,
      ages: clock,
      sender,
      outbox,
      stats,
      observer: { hookSent: (told) => sent.push(told), attemptFinished: (told) => finished.push(told) },
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
      limits: { ...LANE_LIMITS, ...limits },
      budget: new InFlightBudget(IN_FLIGHT_LIMITS, stats),
      health: WELL,
      disable: (_, reason) => disabled.push(reason),
      roomMade: () => this.roomMade++,
    });
  }

  commit(callId: string, sequence: number): CommittedEvent {
    return this.outbox.commit(anEnvelope(callId, sequence));
  }

  /** Hands over what was just committed. */
  take(lanes: EndpointLanes, event: CommittedEvent): boolean {
    const { position, envelope, receivedAtMs, decidedAtMs } = event;
    const stamps = { receivedAtMs, decidedAtMs, committedAtMs: this.clock.nowMs() };
    const id = event.deliveries[0]!.deliveryId;
    return lanes.take({ id, position, attempts: 0, dueInMs: 0, envelope, stamps });
  }
}
