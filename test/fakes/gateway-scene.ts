import { deepEqual, equal } from 'node:assert/strict';
import type { GatewayLimits } from '../../src/gateway/limits.ts';
import { openDoor, type Door, type FakeLeg } from './gateway-house.ts';
import {
  callAsTwilio,
  clientFrame,
  RawVisitor,
  TWILIO_MEDIA,
  TWILIO_START,
  visit,
  type Visitor,
} from './gateway-visitors.ts';
import { until } from './until.ts';

/** A door with a call going on, beside which others misbehave. */
export class Scene {
  readonly door: Door;
  readonly #strangers: RawVisitor[] = [];
  #neighbour: Call | undefined;

  constructor(door: Door) {
    this.door = door;
  }

  get neighbour(): Call {
    return this.#neighbour!;
  }

  async begin(): Promise<this> {
    this.#neighbour = await this.call();
    return this;
  }

  /** One more call that has become a leg. */
  async call(): Promise<Call> {
    const { legs } = this.door.arrivals;
    const before = legs.length;
    const caller = await callAsTwilio(this.door.url);
    await until(() => legs.length > before, 'the leg');
    return { caller, leg: legs[before]! };
  }

  /** Let in, and silent so far. */
  twilio(): Promise<Visitor> {
    return visit(`${this.door.url}/media/twilio/sc_secret`);
  }

  stranger(): RawVisitor {
    const visitor = new RawVisitor(this.door.gateway.ownPort);
    this.#strangers.push(visitor);
    return visitor;
  }

  /** A call whose WebSocket frames the test writes itself. */
  async rawCall(): Promise<RawVisitor> {
    const visitor = this.stranger();
    visitor.upgrade('/media/twilio/sc_secret');
    await visitor.heardText('\r\n\r\n');
    const { legs } = this.door.arrivals;
    const before = legs.length;
    visitor.say(clientFrame(1, Buffer.from(JSON.stringify(TWILIO_START))));
    await until(() => legs.length > before, 'the leg');
    return visitor;
  }

  /** Whatever happened: the neighbour's call goes on, and no promise of ours was broken. */
  async end(): Promise<void> {
    const { caller, leg } = this.neighbour;
    const before = leg.messages.length;
    caller.say(TWILIO_MEDIA);
    await until(() => leg.messages.length > before, 'the neighbour to be heard');
    equal(caller.closing, undefined);
    deepEqual(this.door.failures, []);
    for (const stranger of this.#strangers.splice(0)) stranger.leave();
    await this.door.gateway.close();
  }
}

export interface Call {
  readonly caller: Visitor;
  readonly leg: FakeLeg;
}

export async function openScene(limits: Partial<GatewayLimits> = {}): Promise<Scene> {
  return new Scene(await openDoor({ limits })).begin();
}
