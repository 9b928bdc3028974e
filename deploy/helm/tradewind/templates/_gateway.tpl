{{/* HAProxy's configuration. `deploy/helm/test` runs it in front of real backends. */}}
{{- define "tradewind.gatewayConfig" -}}
{{- $gateway := .Values.gateway -}}
# Made by the chart. Strict routes; the pods of each active Service by name; nothing of ours is lost when one of them goes.
global
    log stdout format raw local0
    maxconn {{ $gateway.maxConnections }}
    nbthread {{ $gateway.threads }}
    set-var proc.begun date()
    # SIGUSR1: accept nothing new, end what is in flight, tell the others to come again elsewhere.
    hard-stop-after {{ $gateway.drainTimeoutSeconds }}s
    close-spread-time 5s

# The cluster's own name server. A switch of a release is another answer to the same name.
resolvers cluster
    parse-resolv-conf
    accepted_payload_size 8192
    resolve_retries 3
    timeout resolve 1s
    timeout retry 500ms
    # A pod that is no longer named is no longer used. A name server that is away takes nothing away; one that has just come back and knows nothing yet, neither.
    hold valid 1s
    hold obsolete 0s
    hold nx 30s
    hold refused 1h
    hold timeout 1h
    hold other 1h

defaults
    mode http
    log global
    option dontlognull
{{- if eq $gateway.accessLog "errors" }}
    option dontlog-normal
    option log-separate-errors
{{- end }}
    timeout connect 1s
    timeout client 30s
    timeout server {{ $gateway.answerTimeoutSeconds }}s
    timeout queue 5s
    timeout http-request 10s
    # Longer than a load balancer keeps an idle connection (60 s), or it would send into one that we close.
    timeout http-keep-alive 75s
    timeout check 1s
    # A new connection for every request: none is sent into one that a pod is closing, and a switch holds for the next request.
    option http-server-close
    http-reuse never
    # What never reached a pod may go to another. What did is tried again only where nothing can happen twice (see the backends).
    retries 3
    option redispatch 1
    retry-on conn-failure empty-response
    default-server port 8081 check inter 1s fall 2 rise 1 resolvers cluster resolve-prefer ipv4 init-addr none

# Shoppers, staff and programs.
frontend public
    bind {{ range $number, $address := splitList "," $gateway.addresses.public }}{{ if $number }},{{ end }}{{ $address }}:{{ $gateway.ports.public }}{{ end }}
    {{- include "tradewind.gatewayLog" . | nindent 4 }}
{{- with $gateway.trustedBalancers }}
    acl is_balanced src{{ range . }} {{ . }}{{ end }}
    http-request set-var(txn.is_balanced) bool(true) if is_balanced
    http-request set-src req.hdr_ip(x-forwarded-for,-{{ $gateway.trustedHops }}) if is_balanced { req.hdr_cnt(x-forwarded-for) ge {{ $gateway.trustedHops }} }
    http-request set-header x-forwarded-proto http unless { var(txn.is_balanced) -m bool } { req.hdr(x-forwarded-proto) -m found }
{{- else }}
    http-request set-header x-forwarded-proto http
{{- end }}
    # One address, the client's, whatever the client says.
    http-request set-header x-forwarded-for %[src]
    # What only our own pages may say.
    http-request del-header x-internal-credential
    http-request del-header x-client-address
    http-request del-header x-fresher-than-ms
    http-request del-header x-forwarded-host
    {{- include "tradewind.gatewayRoutes" . | nindent 4 }}
    acl is_backoffice path /backoffice
    acl is_backoffice path_beg /backoffice/
    use_backend api if is_api
    use_backend backoffice if is_backoffice
    default_backend storefront

# Our own pages, who call the API that is active.
frontend inside
    bind {{ $gateway.addresses.inside }}:{{ $gateway.ports.inside }}
    {{- include "tradewind.gatewayLog" . | nindent 4 }}
    {{- include "tradewind.gatewayRoutes" . | nindent 4 }}
    http-request return status 404 content-type text/plain string "Only the API is here.\n" unless is_api
    default_backend api

# Probes and metrics. Started once every part has a pod that is well, or after half a minute of looking: a part that is down holds up no other.
# After that it is alive whatever becomes of them: an answer of ours is better than none.
frontend operations
    bind {{ $gateway.addresses.operations }}:{{ $gateway.ports.operations }}
    no log
    http-request use-service prometheus-exporter if { path /metrics }
    http-request return status 200 content-type text/plain string "alive\n" if { path /livez }
    http-request return status 200 content-type text/plain string "started\n" if { path /startedz } { nbsrv(api) ge 1 } { nbsrv(storefront) ge 1 } { nbsrv(backoffice) ge 1 }
    http-request return status 200 content-type text/plain string "started, and some part has no pod\n" if { path /startedz } { date(),sub(proc.begun) ge 30 }
    http-request return status 503 content-type text/plain string "waiting for pods\n" if { path /startedz }
    http-request return status 404
{{- range $name := list "api" "storefront" "backoffice" }}
{{- $values := index $.Values $name }}

backend {{ $name }}
    balance leastconn
    option httpchk
    http-check send meth GET uri /readyz
    http-request disable-l7-retry unless { method GET HEAD }
{{- range $status, $title := dict "502" "The answer was lost" "503" "Nobody can answer just now" "504" "The answer took too long" }}
{{- if eq $name "api" }}
    http-error status {{ $status }} content-type application/problem+json string '{"type":"urn:tradewind:problem:gateway_{{ $status }}","title":"{{ $title }}","status":{{ $status }},"code":"gateway_{{ $status }}"}' hdr cache-control no-store{{ if eq $status "503" }} hdr retry-after 5{{ end }}
{{- else }}
    http-error status {{ $status }} content-type "text/html; charset=utf-8" string '<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>{{ $title }}</title><h1>{{ $title }}</h1><p>Please try again in a moment.</p></html>' hdr cache-control no-store{{ if eq $status "503" }} hdr retry-after 5{{ end }}
{{- end }}
{{- end }}
    server-template {{ $name }} {{ add 2 (ternary $values.autoscaling.max $values.replicas $values.autoscaling.enabled) }} {{ $.Release.Name }}-{{ $name }}-active.{{ $.Release.Namespace }}.svc.{{ $.Values.clusterDomain }}:8080
{{- end }}
{{ end }}

{{- define "tradewind.gatewayRoutes" -}}
acl is_api path /store/v1 /admin/v1 /webhooks /docs
acl is_api path_beg /store/v1/ /admin/v1/ /webhooks/ /docs/ /sandbox/
{{- end }}

{{- define "tradewind.gatewayLog" -}}
{{- if eq .Values.gateway.accessLog "none" -}}
no log
{{- else -}}
# The path without its query, which may hold what is nobody's business.
log-format '{"client":"%ci","method":"%HM","path":"%{+E}HPO","status":%ST,"backend":"%b","server":"%s","queued_ms":%Tw,"connect_ms":%Tc,"answer_ms":%Tr,"total_ms":%Ta,"bytes":%B,"retries":"%rc","end":"%tsc"}'
{{- end }}
{{- end }}
