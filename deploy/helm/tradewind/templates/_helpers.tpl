{{/* Labels that find the pods of a component: (dict "root" $ "name" "api"). */}}
{{- define "tradewind.selector" -}}
app.kubernetes.io/name: tradewind
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{/* Labels of an object. */}}
{{- define "tradewind.labels" -}}
{{ include "tradewind.selector" . }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{/* Name, labels and place in the order of a release: (dict "root" $ "name" "api" "as" "api-active" "wave" "0"). */}}
{{- define "tradewind.metadata" -}}
name: {{ .root.Release.Name }}-{{ .as | default .name }}
labels:
  {{- include "tradewind.labels" . | nindent 2 }}
annotations:
  argocd.argoproj.io/sync-wave: {{ .wave | quote }}
{{- end }}

{{/* An image by its digest: (dict "image" .Values.image "of" "image"). */}}
{{- define "tradewind.image" -}}
{{- if not .image.repository }}{{ fail (printf "%s.repository is not set" .of) }}{{ end -}}
{{- if not .image.digest }}{{ fail (printf "%s.digest is not set: a release is one image, named by its digest" .of) }}{{ end -}}
{{ .image.repository }}@{{ .image.digest }}
{{- end }}

{{/* The name of a Secret: (dict "root" $ "of" "api"). */}}
{{- define "tradewind.secretName" -}}
{{ index .root.Values.secrets.names .of | default (printf "%s-%s" .root.Release.Name .of) }}
{{- end }}

{{/* What a Secret has to hold, as YAML: the key and the variable that names its file. */}}
{{- define "tradewind.secretKeys" -}}
{{- $values := .root.Values -}}
{{- if ne .of "pages" }}
database-url: DATABASE_URL_FILE
{{- if and $values.database.hasReaders (ne .of "migrate") }}
database-read-url: DATABASE_READ_URL_FILE
{{- end }}
{{- if $values.database.hasDirect }}
database-direct-url: DATABASE_DIRECT_URL_FILE
{{- end }}
{{- end }}
{{- if and $values.redis.enabled (ne .of "migrate") }}
redis-url: REDIS_URL_FILE
{{- end }}
{{- if has .of (list "api" "pages") }}
internal-credential: TRADEWIND__WEB__INTERNAL_CREDENTIAL_FILE
{{- end }}
{{- end }}

{{/* Where the program's pods find the API: through the gateway, which always knows the active one. */}}
{{- define "tradewind.apiUrl" -}}
http://{{ .Release.Name }}-gateway-inside:{{ .Values.gateway.ports.inside }}
{{- end }}

{{/* The variables of a process: (dict "root" $ "of" "api" "settings" .Values.api.settings). Later ones win. */}}
{{- define "tradewind.environment" -}}
{{- $values := .root.Values -}}
{{- $http := dict "public_address" "0.0.0.0:8080" "operations_address" "0.0.0.0:8081" "drain_delay_ms" (mul $values.drain.delaySeconds 1000) "drain_timeout_ms" (mul $values.drain.timeoutSeconds 1000) -}}
{{- if $values.publicUrl }}{{ $_ := set $http "public_url" $values.publicUrl }}{{ end -}}
{{- with $values.podNetworks }}{{ $_ := set $http "trusted_proxies" (join ", " .) }}{{ end -}}
{{- $settings := dict "http" $http "log" (dict "format" "json") -}}
{{- if eq .of "pages" }}{{ $_ := set $settings "web" (dict "api_url" (include "tradewind.apiUrl" .root)) }}{{ end -}}
{{- if eq .name "storefront" }}{{ $_ := set $settings.web "maintenance_file" "/run/maintenance/on" }}{{ end -}}
{{- $settings = mustMergeOverwrite $settings (deepCopy $values.settings) (deepCopy (.settings | default dict)) -}}
- {name: TRADEWIND__DATA_DIR, value: /data}
- {name: TRADEWIND__DEMO, value: {{ $values.demo | quote }}}
{{- range $section, $keys := $settings }}
{{- range $key, $value := $keys }}
- {name: TRADEWIND__{{ $section | upper }}__{{ $key | upper }}, value: {{ if kindIs "float64" $value }}{{ $value | int64 | toString | quote }}{{ else }}{{ $value | toString | quote }}{{ end }}}
{{- end }}
{{- end }}
{{- range $key, $variable := include "tradewind.secretKeys" . | fromYaml }}
- {name: {{ $variable }}, value: /run/secrets/tradewind/{{ $key }}}
{{- end }}
{{- end }}

{{/* What no container of ours may do. */}}
{{- define "tradewind.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
readOnlyRootFilesystem: true
{{- end }}

{{/* The part of a pod that all have: who it is and where it runs. (dict "root" $ "name" "api" "hash" "rollouts-pod-template-hash") */}}
{{- define "tradewind.pod" -}}
{{- $scheduling := .root.Values.scheduling -}}
serviceAccountName: {{ .account }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with $scheduling.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $scheduling.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $scheduling.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if and .hash (or $scheduling.acrossZones $scheduling.acrossNodes) }}
topologySpreadConstraints:
  {{- range $key, $how := dict "topology.kubernetes.io/zone" $scheduling.acrossZones "kubernetes.io/hostname" $scheduling.acrossNodes }}
  {{- if $how }}
  - topologyKey: {{ $key }}
    maxSkew: 1
    whenUnsatisfiable: {{ $how }}
    labelSelector:
      matchLabels:
        {{- include "tradewind.selector" $ | nindent 8 }}
    # Each version is spread by itself, or old pods would push the new ones together.
    matchLabelKeys: [{{ $.hash }}]
  {{- end }}
  {{- end }}
{{- end }}
{{- end }}

{{/* The label by which a controller tells versions apart. */}}
{{- define "tradewind.hashLabel" -}}
{{ if eq .Values.release.strategy "bluegreen" }}rollouts-pod-template-hash{{ else }}pod-template-hash{{ end }}
{{- end }}

{{/*
A pod of the program: (dict "root" $ "name" "api" "of" "api" "values" .Values.api "hash" …). The program itself serves on for the drain delay after it was told
to stop, so that it needs no preStop. It ends its parts one after the other, each within the drain timeout and 5 s: the grace period covers three of them.
*/}}
{{- define "tradewind.programPod" -}}
{{- $drain := .root.Values.drain -}}
metadata:
  labels:
    {{- include "tradewind.selector" . | nindent 4 }}
spec:
  {{- include "tradewind.pod" (merge (dict "account" (printf "%s-%s" .root.Release.Name .name)) .) | nindent 2 }}
  terminationGracePeriodSeconds: {{ add $drain.delaySeconds (mul 3 (add $drain.timeoutSeconds 5)) 5 }}
  containers:
    - name: tradewind
      image: {{ include "tradewind.image" (dict "image" .root.Values.image "of" "image") }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args: [serve, --target, {{ .name }}]
      env:
        {{- include "tradewind.environment" (merge (dict "settings" .values.settings) .) | nindent 8 }}
      ports:
        {{- if ne .name "worker" }}
        - {name: public, containerPort: 8080}
        {{- end }}
        - {name: operations, containerPort: 8081}
      # Alive says nothing about others: a database that is away must not restart anybody. Ready means started, schema new enough, not draining.
      startupProbe:
        httpGet: {path: /livez, port: operations}
        periodSeconds: 1
        failureThreshold: 60
      livenessProbe:
        httpGet: {path: /livez, port: operations}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        httpGet: {path: /readyz, port: operations}
        periodSeconds: 2
        timeoutSeconds: 2
        failureThreshold: 2
      resources:
        {{- toYaml .values.resources | nindent 8 }}
      securityContext:
        {{- include "tradewind.containerSecurity" . | nindent 8 }}
      volumeMounts:
        - {name: data, mountPath: /data}
        - {name: secrets, mountPath: /run/secrets/tradewind, readOnly: true}
        {{- if eq .name "storefront" }}
        - {name: maintenance, mountPath: /run/maintenance, readOnly: true}
        {{- end }}
        {{- if .values.mediaClaim }}
        - {name: media, mountPath: /data/objects/media, readOnly: true}
        {{- end }}
  volumes:
    - name: data
      emptyDir: {sizeLimit: 256Mi}
    - name: secrets
      secret:
        secretName: {{ include "tradewind.secretName" . }}
        defaultMode: 0440
    {{- if eq .name "storefront" }}
    # Its file is there while the shop is closed; the pod is the same with it and without.
    - name: maintenance
      configMap: {name: {{ .root.Release.Name }}-maintenance, optional: true}
    {{- end }}
    {{- with .values.mediaClaim }}
    - name: media
      persistentVolumeClaim: {claimName: {{ . }}, readOnly: true}
    {{- end }}
{{- end }}

{{/* The targets that answer requests, with their place in the order of a release. */}}
{{- define "tradewind.servers" -}}
api: {of: api, wave: "0"}
backoffice: {of: pages, wave: "1"}
storefront: {of: pages, wave: "1"}
{{- end }}

{{/* The chart's own AnalysisTemplates, by the names that values use. */}}
{{- define "tradewind.analysisTemplates" -}}
{{- range regexSplit "(?m)^---$" (.Files.Get "files/analysis-templates.yaml") -1 }}
{{- $template := . | fromYaml }}
{{ $template.metadata.name }}:
  {{- toYaml $template.spec | nindent 2 }}
{{- end }}
smoke: {}
{{- end }}

{{/* The name of an AnalysisTemplate in the cluster: (dict "root" $ "name" "smoke"). */}}
{{- define "tradewind.analysisName" -}}
{{ if hasKey (include "tradewind.analysisTemplates" .root | fromYaml) .name }}{{ .root.Release.Name }}-{{ end }}{{ .name }}
{{- end }}

{{/* A job that buys: (dict "root" $ "wave" "3" "arguments" (list "--api" "http://…")). It knows nobody's secret and writes nothing. */}}
{{- define "tradewind.smokeJob" -}}
{{- $part := dict "root" .root "name" "smoke" -}}
backoffLimit: 0
activeDeadlineSeconds: {{ .root.Values.smoke.deadlineSeconds }}
template:
  metadata:
    labels:
      {{- include "tradewind.selector" $part | nindent 6 }}
  spec:
    {{- include "tradewind.pod" (merge (dict "account" "default") $part) | nindent 4 }}
    restartPolicy: Never
    containers:
      - name: smoke
        image: {{ include "tradewind.image" (dict "image" .root.Values.image "of" "image") }}
        imagePullPolicy: {{ .root.Values.image.pullPolicy }}
        args: {{ prepend .arguments "smoke" | toJson }}
        resources:
          {{- toYaml .root.Values.smoke.resources | nindent 10 }}
        securityContext:
          {{- include "tradewind.containerSecurity" . | nindent 10 }}
{{- end }}
