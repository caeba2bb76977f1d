import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MANIFESTS, OPS, readManifest, SECRETS, settingsOf, strangersIn, type Named } from './manifests.ts';

interface Port extends Named {
  readonly containerPort: number;
}
interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}
interface Workload {
  readonly metadata: Named & { readonly namespace: string };
  readonly spec: {
    readonly replicas: number;
    readonly serviceName: string;
    readonly selector: { readonly matchLabels: object };
    readonly volumeClaimTemplates: readonly { readonly metadata: Named }[];
    readonly template: {
      readonly metadata: { readonly labels: object };
      readonly spec: {
        readonly enableServiceLinks: boolean;
        readonly terminationGracePeriodSeconds: number;
        readonly topologySpreadConstraints: readonly {
          readonly topologyKey: string;
          readonly whenUnsatisfiable: string;
          readonly labelSelector: object;
        }[];
        readonly containers: readonly [
          {
            readonly ports: readonly Port[];
            readonly envFrom: readonly { readonly configMapRef?: Named; readonly secretRef?: Named }[];
            readonly env: readonly { readonly name: string; readonly value?: string }[];
            readonly startupProbe: Probe;
            readonly readinessProbe: Probe;
            readonly livenessProbe: Probe;
            readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: string[] } } };
            readonly resources: {
              readonly requests: { readonly [resource: string]: string };
              readonly limits: { readonly [resource: string]: string };
            };
            readonly volumeMounts: readonly (Named & { readonly mountPath: string })[];
          },
        ];
      };
    };
  };
}
interface NetworkPolicy {
  readonly spec: {
    readonly podSelector: object;
    readonly policyTypes: readonly string[];
    readonly ingress: readonly {
      readonly from?: readonly { readonly podSelector: object }[];
      readonly ports: readonly { readonly protocol: string; readonly port: string }[];
    }[];
  };
}
interface Prometheus {
  readonly scrape_configs: readonly {
    readonly job_name: string;
    readonly honor_labels?: boolean;
    readonly static_configs: readonly { readonly targets: readonly string[]; readonly labels: object }[];
  }[];
}
interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata?: { readonly name: string; readonly namespace?: string };
  readonly items?: readonly Manifest[];
}
interface Service {
  readonly metadata: Named;
  readonly spec: {
    readonly selector: object;
    readonly ports: readonly (Named & { readonly port: number; readonly targetPort: string })[];
  };
}
// Of the API, what these manifests use: a word that Kubernetes does not know it drops in silence.
const KINDS: { readonly [kind: string]: string } = {
  Namespace: 'v1',
  ConfigMap: 'v1',
  List: 'v1',
  Service: 'v1',
  StatefulSet: 'apps/v1',
  PodDisruptionBudget: 'policy/v1',
  NetworkPolicy: 'networking.k8s.io/v1',
};
const POD_KEYS = [
  'enableServiceLinks',
  'automountServiceAccountToken',
  'terminationGracePeriodSeconds',
  'securityContext',
  'topologySpreadConstraints',
  'containers',
];
const CONTAINER_KEYS = [
  'name',
  'image',
  'ports',
  'envFrom',
  'env',
  'startupProbe',
  'readinessProbe',
  'livenessProbe',
  'lifecycle',
  'resources',
  'securityContext',
  'volumeMounts',
];

describe('the manifests for Kubernetes', () => {
  const { metadata, spec } = readManifest('kubernetes/workload.json') as Workload;
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
    // A provider that is asked to stream elsewhere only then would come too late.
    expect(settings.drainMoveProviderMs).toBeLessThan(settings.drainDeadlineMs);
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

  it('let the peers’ ports be reached by peers only', () => {
    const { labels } = spec.template.metadata;
    const { podSelector, policyTypes, ingress } = (
      readManifest('kubernetes/network-policy.json') as NetworkPolicy
    ).spec;
    expect([podSelector, policyTypes]).toEqual([{ matchLabels: labels }, ['Ingress']]);
    const open = ingress.filter(({ from }) => from === undefined).flatMap(({ ports }) => ports);
    const closed = ingress.filter(({ from }) => from !== undefined);
    expect(closed.map(({ from }) => from)).toEqual([[{ podSelector: { matchLabels: labels } }]]);
    const names = container.ports.map(({ name }) => name);
    const isPeer = (name: string): boolean => name.startsWith('peer-');
    expect(open.map(({ port }) => port)).toEqual(names.filter((name) => !isPeer(name)));
    expect(closed[0]?.ports.map(({ port }) => port)).toEqual(names.filter(isPeer));
  });

  it('are of kinds and words that Kubernetes knows, all in one namespace', () => {
    const flat = MANIFESTS.filter((path) => path.startsWith('kubernetes/'))
      .map((path) => readManifest(path) as Manifest)
      .flatMap((manifest) => [manifest, ...(manifest.items ?? [])]);
    for (const { kind, apiVersion, metadata } of flat) {
      expect([kind, apiVersion]).toEqual([kind, KINDS[kind]]);
      if (kind === 'List') continue;
      const namespace = kind === 'Namespace' ? metadata?.name : metadata?.namespace;
      expect([kind, namespace]).toEqual([kind, 'omnivoice']);
    }
    expect(strangersIn(pod, POD_KEYS)).toEqual([]);
    expect(strangersIn(container, CONTAINER_KEYS)).toEqual([]);
  });

  it('ask for as much of a machine as their nodes and control need, and are never slowed down by a limit of CPU', () => {
    const { requests, limits } = container.resources;
    expect(Number(requests['cpu'])).toBe(settings.mediaNodes + 1);
    expect(limits['cpu']).toBeUndefined();
    expect(limits['memory']).toBe(requests['memory']);
  });

  it('spread pods over machines strictly, over zones as far as there are any', () => {
    expect(
      pod.topologySpreadConstraints.map((constraint) => [
        constraint.topologyKey,
        constraint.whenUnsatisfiable,
      ]),
    ).toEqual([
      ['kubernetes.io/hostname', 'DoNotSchedule'],
      ['topology.kubernetes.io/zone', 'ScheduleAnyway'],
    ]);
  });

  it('are asked by Prometheus as hosts are: control, and the first node, of each pod by its name', () => {
    const { scrape_configs: jobs } = readManifest('prometheus/kubernetes.json') as Prometheus;
    const byName = readManifest('prometheus/prometheus.json') as Prometheus;
    expect(jobs.map((job) => [job.job_name, job.honor_labels])).toEqual(
      byName.scrape_configs.map((job) => [job.job_name, job.honor_labels]),
    );
    const pods = Array.from({ length: spec.replicas }, (_, n) => `${metadata.name}-${n}.${spec.serviceName}`);
    const asked = jobs.map(({ static_configs: [group] }) => group);
    const at = (port: number): object => ({
      targets: pods.map((pod) => `${pod}.${metadata.namespace}.svc:${port}`),
      labels: { region: settings.region },
    });
    expect(asked).toEqual([at(settings.port), at(settings.mediaPort + 1)]);
  });
});
