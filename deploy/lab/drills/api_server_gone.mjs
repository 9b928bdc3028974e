import { kubectl } from "../src/kubectl.mjs";
import { until } from "../src/run.mjs";
import { programGone } from "./fault.mjs";

export const title = "Kubernetes' API gone for a minute: the shop goes on";
export const seconds = 500;
const isBack = () => until("the API answers", () => kubectl(["get", "--raw", "/readyz"]), { seconds: 60 });
export const run = (drill) => programGone(drill, "kube-apiserver", { lasting: 60, isBack });
