// Runs after `npm ci`: compiles what a start needs ahead of it, so that the first start is as quick as every other.
import module from 'node:module';

const NODE_MAJOR_MIN = 24;

if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR_MIN) {
  module.enableCompileCache?.();
  const needed = ['main', 'cli/serve', 'control/main', 'node/main', 'telemetry/logger'];
  await Promise.all(needed.map((name) => import(new URL(`../src/${name}.ts`, import.meta.url).href)));
  module.flushCompileCache?.();
}
process.exit(0);
