{{- /* What RabbitMQ and Redis for trying it out have in common. */ -}}

{{- define "longshore.trial.labels" -}}
{{ include "longshore.labels" .root }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "longshore.trial.selector" -}}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- /* Made once and kept over upgrades: read back from the Secret that the release made before. */ -}}
{{- define "longshore.trial.password" -}}
{{- $values := get .root.Values .name }}
{{- $secret := lookup "v1" "Secret" .root.Release.Namespace $values.secretName }}
{{- if $values.password }}{{ $values.password }}
{{- else if and $secret (get $secret.data "password") }}{{ get $secret.data "password" | b64dec }}
{{- else }}{{ randAlphaNum 24 }}
{{- end }}
{{- end }}

{{- define "longshore.trial.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .runAsUser }}
runAsGroup: {{ .runAsUser }}
fsGroup: {{ .runAsUser }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "longshore.trial.storage" -}}
{{- if .storage }}
volumeClaimTemplates:
  - metadata:
      name: data
    spec:
      accessModes: [ReadWriteOnce]
      resources:
        requests:
          storage: {{ .storage }}
{{- end }}
{{- end }}
