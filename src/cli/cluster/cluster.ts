import type { Command } from 'commander';
import { ask, tell, withClientFlags, type ClientFlags } from '../client-command.ts';
import { clusterWords } from './cluster-words.ts';

/** `omnivoice cluster`: who is there, who is well, where calls go. */
export function register(program: Command): void {
  const cluster = program
    .command('cluster')
    .description('Shows regions, nodes and the registry, as the control process that is asked sees them.');
  withClientFlags(cluster, 'cluster', 'cluster --json').action(async (flags: ClientFlags) => {
    const seen = await ask(flags, (api) => api.getCluster());
    tell(flags, seen, () => clusterWords(seen));
  });
}
