// The lab's own Kubernetes: control plane, one node, names, metrics. All real programs, built from their modules or from the distribution.
import { mkdirSync, writeFileSync } from 'node:fs';
import { address, networks, onBridge, onLoopback, within } from './lab.mjs';
import { key, makeKeys, writeKubeconfig } from './keys.mjs';
import { apply, kubeconfig, kubectl, waitFor } from './kubectl.mjs';
import { importPause, pauseImage } from './images.mjs';
import { makeBridge } from './network.mjs';
import { start } from './processes.mjs';
import { remember } from './state.mjs';
import { run, succeeds, tool } from './shell.mjs';

const podBridge = 'twlab1';
export const containerd = ['--address', within('containerd.sock')];

/** Brings the cluster up: returns when its node is ready and names are found. */
export async function startCluster() {
  await makeBridge();
  await makeKeys();
  writeKubeconfig();
  await startControlPlane();
  await startNode();
  await startNames();
  await startMetrics();
}

async function startControlPlane() {
  await start('etcd', ['etcd', '--data-dir', within('etcd'), '--unsafe-no-fsync=true', '--log-level', 'warn',
    '--listen-client-urls', `http://127.0.0.1:${onLoopback.etcd}`, '--advertise-client-urls', `http://127.0.0.1:${onLoopback.etcd}`,
    '--listen-peer-urls', `http://127.0.0.1:${onLoopback.etcdPeers}`], { ready: () => answers(`http://127.0.0.1:${onLoopback.etcd}/health`) });
  const kubernetes = (program) => tool('kubernetes', program);
  await start('kube-apiserver', [await kubernetes('kube-apiserver'), `--etcd-servers=http://127.0.0.1:${onLoopback.etcd}`,
    '--bind-address=127.0.0.1', `--secure-port=${onLoopback.apiServer}`, `--advertise-address=${address}`,
    `--tls-cert-file=${key('api-server.crt')}`, `--tls-private-key-file=${key('api-server.key')}`,
    `--client-ca-file=${key('authority.crt')}`, `--token-auth-file=${key('tokens.csv')}`, '--authorization-mode=Node,RBAC',
    `--kubelet-client-certificate=${key('kubelet-client.crt')}`, `--kubelet-client-key=${key('kubelet-client.key')}`, '--kubelet-preferred-address-types=InternalIP',
    `--service-account-key-file=${key('accounts.pub')}`, `--service-account-signing-key-file=${key('accounts.key')}`,
    '--service-account-issuer=https://kubernetes.default.svc', `--service-cluster-ip-range=${networks.services}`,
    // So that metrics-server is a part of the API.
    `--requestheader-client-ca-file=${key('authority.crt')}`, '--requestheader-allowed-names=front-proxy', '--requestheader-username-headers=X-Remote-User',
    '--requestheader-group-headers=X-Remote-Group', '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    `--proxy-client-cert-file=${key('front-proxy.crt')}`, `--proxy-client-key-file=${key('front-proxy.key')}`, '--enable-aggregator-routing=true',
  ], { seconds: 120, ready: () => kubectl(['get', '--raw', '/readyz']) });
  await start('kube-controller-manager', [await kubernetes('kube-controller-manager'), '--kubeconfig', kubeconfig, '--bind-address=127.0.0.1',
    `--service-account-private-key-file=${key('accounts.key')}`, '--use-service-account-credentials', '--leader-elect=false',
    '--allocate-node-cidrs=true', '--cluster-cidr=10.244.0.0/16', `--root-ca-file=${key('authority.crt')}`]);
  await start('kube-scheduler', [await kubernetes('kube-scheduler'), '--kubeconfig', kubeconfig, '--bind-address=127.0.0.1', '--leader-elect=false']);
}

async function startNode() {
  remember({ podBridge, kubeProxy: true });
  writeNodeSettings();
  await start('containerd', ['containerd', '--config', within('containerd.toml')], { ready: () => succeeds('ctr', [...containerd, 'version']) });
  await importPause();
  await start('kubelet', [await tool('kubernetes', 'kubelet'), '--config', within('kubelet.json'), '--kubeconfig', kubeconfig,
    '--root-dir', within('kubelet'), '--hostname-override=lab', `--node-ip=${address}`]);
  await start('kube-proxy', [await tool('kubernetes', 'kube-proxy'), '--config', within('kube-proxy.json')]);
  await waitFor('the node is ready', 'default', ['node', 'lab'], (node) => node.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'), { seconds: 90 });
}

function writeNodeSettings() {
  mkdirSync(within('cni'), { recursive: true });
  const write = (name, content) => writeFileSync(within(name), typeof content === 'string' ? content : JSON.stringify(content, null, 1));
  write('cni/10-pods.conflist', {
    cniVersion: '0.4.0',
    name: 'pods',
    plugins: [
      {
        type: 'bridge', bridge: podBridge, isGateway: true, ipMasq: false, hairpinMode: true,
        ipam: { type: 'host-local', dataDir: within('cni-addresses'), ranges: [[{ subnet: networks.pods }]], routes: [{ dst: '0.0.0.0/0' }] },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  });
  // No OOM score is set, which needs a right that a container of ours may lack; the rest are folders of our own.
  write('containerd.toml', `version = 2
root = "${within('containerd')}"
state = "${within('containerd-state')}"
[grpc]
  address = "${within('containerd.sock')}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${within('cni')}"
`);
  write('resolv.conf', '');
  write('kubelet.json', {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address,
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: key('authority.crt') } },
    authorization: { mode: 'Webhook' },
    // The machine may itself be a container: no hierarchy of cgroups by quality of service.
    cgroupDriver: 'cgroupfs', cgroupsPerQOS: false, enforceNodeAllocatable: [], failSwapOn: false, localStorageCapacityIsolation: false, evictionHard: {},
    containerRuntimeEndpoint: `unix://${within('containerd.sock')}`,
    clusterDNS: [address], clusterDomain: 'cluster.local', resolvConf: within('resolv.conf'),
    podLogsDir: within('pod-logs'),
  });
  write('kube-proxy.json', {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { kubeconfig },
    mode: 'iptables',
    // Answers between pods of one bridge must come back through the node that translated their addresses.
    iptables: { masqueradeAll: true },
    conntrack: { maxPerCore: 0 },
    hostnameOverride: 'lab',
    clusterCIDR: networks.pods, healthzBindAddress: '127.0.0.1:10256', metricsBindAddress: '127.0.0.1:10249', nodePortAddresses: ['127.0.0.0/8'],
  });
}

async function startNames() {
  writeFileSync(within('Corefile'), `.:${onBridge.dns} {
  bind ${address}
  errors
  kubernetes cluster.local in-addr.arpa {
    kubeconfig ${kubeconfig}
    ttl 5
  }
}
`);
  await start('coredns', [await tool('coredns'), '-conf', within('Corefile')], { ready: () => succeeds('bash', ['-c', `exec 3<>/dev/tcp/${address}/${onBridge.dns}`]) });
}

async function startMetrics() {
  await start('metrics-server', [await tool('metrics-server'), '--kubeconfig', kubeconfig, '--authentication-kubeconfig', kubeconfig, '--authorization-kubeconfig', kubeconfig,
    `--bind-address=${address}`, `--secure-port=${onBridge.metricsServer}`, '--cert-dir', within('metrics-server'),
    // The kubelet's certificate is its own, and this is one machine.
    '--kubelet-insecure-tls', '--kubelet-preferred-address-types=InternalIP', '--metric-resolution=15s']);
  const metadata = { name: 'metrics-server', namespace: 'kube-system' };
  await apply([
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ name: 'https', port: 443, targetPort: onBridge.metricsServer }] } },
    { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'metrics-server' } },
      addressType: 'IPv4', endpoints: [{ addresses: [address], conditions: { ready: true } }], ports: [{ name: 'https', port: onBridge.metricsServer, protocol: 'TCP' }] },
    { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata: { name: 'v1beta1.metrics.k8s.io' },
      spec: { service: { name: 'metrics-server', namespace: 'kube-system', port: 443 }, group: 'metrics.k8s.io', version: 'v1beta1', insecureSkipTLSVerify: true, groupPriorityMinimum: 100, versionPriority: 100 } },
  ]);
}

export const answers = (url) => fetch(url, { signal: AbortSignal.timeout(2000) }).then((answer) => answer.ok, () => false);

/** Removes what kube-proxy and CNI left on the machine. */
export async function removeNodeTraces() {
  await run(await tool('kubernetes', 'kube-proxy'), ['--cleanup']).catch(() => {});
}

export const hasImage = async (name) => (await run('ctr', [...containerd, '--namespace', 'k8s.io', 'images', 'list', '--quiet'])).split('\n').includes(name);
