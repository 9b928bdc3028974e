// The cluster, by kubectl.
import { kubeconfig, namespace } from './lab.mjs';
import { run, tool, until } from './run.mjs';

/// Runs kubectl with every right and gives what it printed; options are those of `run`.
export async function kubectl(args, options = {}) {
    return run(await tool('kubernetes', 'kubectl'), [`--kubeconfig=${kubeconfig}`, ...args], options);
}

/// Applies objects (YAML text, or an object or a list of them) as the lab's.
export async function apply(objects, { into } = {}) {
    const input = typeof objects === 'string' ? objects : [objects].flat().map((object) => JSON.stringify(object)).join('\n---\n');
    return kubectl(['apply', '--server-side', '--force-conflicts', '--field-manager=tradewind-lab', ...(into ? [`--namespace=${into}`] : []), '-f', '-'], { input });
}

/// One object, or null if there is none of that name. `get('rollout', 'tradewind-api')`
export async function get(kind, name, { from = namespace } = {}) {
    const printed = await kubectl(['get', kind, name, `--namespace=${from}`, '--ignore-not-found', '-o', 'json']);
    return printed.trim() ? JSON.parse(printed) : null;
}

/// All objects of a kind, chosen by labels: `list('pod', {labels: 'app.kubernetes.io/component=api'})`
export async function list(kind, { from = namespace, labels = '' } = {}) {
    return JSON.parse(await kubectl(['get', kind, `--namespace=${from}`, `--selector=${labels}`, '-o', 'json'])).items;
}

/// Waits until an object is as `isSo` wants it, and gives it.
export async function waitFor(kind, name, isSo, { from = namespace, seconds = 120, every = 0.5 } = {}) {
    return until(`${kind} ${name}`, async () => {
        const object = await get(kind, name, { from });
        return object && isSo(object) ? object : null;
    }, { seconds, every });
}

/// Deletes an object and waits until it is gone; it need not be there.
export async function remove(kind, name, { from = namespace } = {}) {
    return kubectl(['delete', kind, name, `--namespace=${from}`, '--ignore-not-found']);
}
