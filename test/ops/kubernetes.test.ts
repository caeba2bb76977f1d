import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MANIFESTS, OPS, readManifest, SECRETS, settingsOf, type Named } from './manifests.ts';

interface Port extends Named {
  readonly containerPort: number;
}
interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}
interface Workload {
  readonly spec: {
    readonly serviceName: string;
    readonly selector: { readonly matchLabels: object };
    readonly volumeClaimTemplates: readonly { readonly metadata: Named }[];
    readonly template: {
      readonly metadata: { readonly labels: object };
      readonly spec: {
        readonly enableServiceLinks: boolean;
        readonly terminationGracePeriodSeconds: number;
        readonly topologySpreadConstraints: readonly { readonly labelSelector: object }[];
        readonly containers: readonly [
          {
            readonly ports: readonly Port[];
            readonly envFrom: readonly { readonly configMapRef?: Named; readonly secretRef?: Named }[];
            readonly env: readonly { readonly name: string; readonly value?: string }[];
            readonly startupProbe: Probe;
            readonly readinessProbe: Probe;
            readonly livenessProbe: Probe;
            readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: string[] } } };
            readonly volumeMounts: readonly (Named & { readonly mountPath: string })[];
          },
        ];
      };
    };
  };
}
interface Service {
  readonly metadata: Named;
  readonly spec: {
    readonly selector: object;
    readonly ports: readonly (Named & { readonly port: number; readonly targetPort: string })[];
  };
}
describe('the manifests for Kubernetes', () => {
  const { spec } = readManifest('kubernetes/workload.json') as Workload;
  const pod = spec.template.spec;
  const [container] = pod.containers;
  const services = (readManifest('kubernetes/services.json') as { items: readonly Service[] }).items;
  const config = readManifest('kubernetes/config.json') as {
    metadata: Named;
    data: { [name: string]: string };
  };
  const portOf = (name: string): number | undefined =>
    container.ports.find((port) => port.name === name)?.containerPort;
  const settings = settingsOf({
    OMNIVOICE_HOST: '0.0.0.0',
    ...SECRETS,
    ...config.data,
    OMNIVOICE_PEER_URL: container.env
      .find(({ name }) => name === 'OMNIVOICE_PEER_URL')!
      .value!.replace('$(POD_IP)', '10.1.2.3'),
  });

  it('give a pod the ports that its settings make it listen on', () => {
    const { port, mediaPort, mediaNodes, peerUrl } = settings;
    const numbers = Array.from({ length: mediaNodes }, (_, index) => index);
    const peerPort = Number(new URL(peerUrl!).port);
    const wanted = { api: port, media: mediaPort };
    for (const n of numbers) {
      Object.assign(wanted, { [`node-${n}`]: mediaPort + 1 + n, [`peer-${n}`]: peerPort + n });
    }
    expect(
      Object.fromEntries(container.ports.map(({ name, containerPort }) => [name, containerPort])),
    ).toEqual(wanted);
  });

  it('ask for its health where neither a full house nor an absent control has it killed', () => {
    const { startupProbe, readinessProbe, livenessProbe } = container;
    expect(startupProbe.httpGet).toEqual({ path: '/healthz', port: 'api' });
    expect(readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'media' });
    expect(livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'node-0' });
  });

  it('leave a drain the time it may take', () => {
    const before = Number(container.lifecycle.preStop.exec.command[1]);
    const drain = settings.drainDeadlineMs / 1000;
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(before + drain + 20);
  });

  it('keep variables of Services away from the settings', () => {
    expect(pod.enableServiceLinks).toBe(false);
  });

  it('bring no secret that would replace the one that was made, and say what belongs in it', () => {
    const files = MANIFESTS.filter((path) => path.startsWith('kubernetes/'));
    expect(files.filter((path) => /"kind": *"Secret"/.test(readFileSync(join(OPS, path), 'utf8')))).toEqual(
      [],
    );
    const [, told = ''] =
      /`secrets\.env` has a line for each of ([^(]*)/.exec(readFileSync(join(OPS, 'README.md'), 'utf8')) ??
      [];
    expect(told.match(/OMNIVOICE_\w+/g)).toEqual(Object.keys(SECRETS));
  });

  it('refer to each other by names that are there', () => {
    const { labels } = spec.template.metadata;
    expect(services.map(({ metadata }) => metadata.name)).toContain(spec.serviceName);
    for (const { spec: service } of services) {
      expect(service.selector).toEqual(labels);
      for (const port of service.ports)
        expect([port.name, portOf(port.targetPort)]).toEqual([port.name, port.port]);
    }
    expect(spec.selector.matchLabels).toEqual(labels);
    for (const { labelSelector } of pod.topologySpreadConstraints)
      expect(labelSelector).toEqual({ matchLabels: labels });
    const budget = readManifest('kubernetes/disruption-budget.json') as { spec: object };
    expect(budget.spec).toEqual({ maxUnavailable: 1, selector: { matchLabels: labels } });
    expect(container.envFrom[0]?.configMapRef?.name).toBe(config.metadata.name);
    const secret = container.envFrom[1]?.secretRef?.name;
    expect(readFileSync(join(OPS, 'README.md'), 'utf8')).toContain(`create secret generic ${secret} `);
    const claims = spec.volumeClaimTemplates.map(({ metadata }) => metadata.name);
    expect(claims).toEqual(container.volumeMounts.map(({ name }) => name));
    expect(settings.dataDir.startsWith(`${container.volumeMounts[0]!.mountPath}/`)).toBe(true);
  });
});
