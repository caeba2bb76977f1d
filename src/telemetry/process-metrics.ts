import { performance, type EventLoopUtilization } from 'node:perf_hooks';
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client';
import { logStats } from './logger.ts';
import type { LoopDelay } from './loop-delay.ts';
import { readAtScrape } from './scrape.ts';

/** What every process tells of itself: CPU, memory, files, garbage collection, and how late its loop runs. */
export function addProcessMetrics(registry: Registry, loopDelay: LoopDelay): void {
  // Its own delay of the event loop includes the sampler's wait and is replaced by ours, so it may sleep.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 10_000 });
  for (const { name } of registry.getMetricsAsArray()) {
    if (name.startsWith('nodejs_eventloop_lag')) registry.removeSingleMetric(name);
  }
  addUtilization(registry);
  readAtScrape(registry, {
    name: 'log_lines_dropped_total',
    help: 'Lines of the log that were dropped, as nobody read those before them',
    type: 'counter',
    read: () => [{ labels: {}, value: logStats.droppedLines }],
  });
  readAtScrape(registry, {
    name: 'event_loop_delay_seconds',
    help: 'How late the event loop ran since the reading before the last',
    type: 'gauge',
    read: () => {
      const { p50Ms, p99Ms, maxMs } = loopDelay.read();
      return [
        { labels: { quantile: '0.5' }, value: p50Ms / 1000 },
        { labels: { quantile: '0.99' }, value: p99Ms / 1000 },
        { labels: { quantile: '1' }, value: maxMs / 1000 },
      ];
    },
  });
}

function addUtilization(registry: Registry): void {
  let before: EventLoopUtilization = performance.eventLoopUtilization();
  const gauge: Gauge = new Gauge({
    name: 'nodejs_eventloop_utilization',
    help: 'Share of time the event loop was busy since the last reading',
    registers: [registry],
    collect: () => {
      const now = performance.eventLoopUtilization();
      gauge.set(performance.eventLoopUtilization(now, before).utilization);
      before = now;
    },
  });
}
