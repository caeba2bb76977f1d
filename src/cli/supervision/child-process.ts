import { fork } from 'node:child_process';
import type { Child, ChildEvents, StartChild } from './supervisor.ts';

/** Starts children as processes of this Node with a channel back; what they print goes where ours goes. */
export function childProcesses(program: string, env: { readonly [name: string]: string }): StartChild {
  return (args, events) => startProcess(program, { args, env, events });
}

function startProcess(
  program: string,
  options: {
    readonly args: readonly string[];
    readonly env: { readonly [name: string]: string };
    readonly events: ChildEvents;
  },
): Child {
  const { args, env, events } = options;
  const child = fork(program, args, { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  child.on('message', events.onMessage);
  child.on('disconnect', events.onDisconnect);
  child.on('exit', (code, signal) => events.onExit({ code, signal }));
  child.on('error', () => {
    // Failed to start, or to be told or killed: only the first leaves nothing behind.
    if (child.pid === undefined) events.onExit({ code: 1, signal: null });
  });
  return {
    pid: child.pid,
    // A child that is just leaving cannot be told; its exit says so soon enough.
    send: (message) => child.connected && child.send(message, () => {}),
    kill: () => child.kill('SIGKILL'),
  };
}
