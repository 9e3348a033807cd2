{{- define "pawsort.name" -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "pawsort.image" -}}
{{ with .root.Values.image.registry }}{{ . }}/{{ end }}{{ .image }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{- define "pawsort.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "pawsort.labels" -}}
{{ include "pawsort.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "pawsort.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  seccompProfile: {type: RuntimeDefault}
{{- with .root.Values.podSecurityContext }}
  {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  - name: secrets
    secret:
      secretName: {{ .root.Values.secret }}
      items:
        {{- range .secrets }}
        - {key: {{ . }}, path: {{ . }}}
        {{- end }}
        - {key: redis_url, path: redis_url}
        {{- if and .secrets .root.Values.hasStoreKeys }}
        - {key: s3_access_key, path: s3_access_key}
        - {key: s3_secret_key, path: s3_secret_key}
        {{- end }}
  - name: tmp
    emptyDir: {sizeLimit: 2Gi}
  - name: data
    emptyDir: {sizeLimit: {{ .scratch }}}
{{- end }}

{{- define "pawsort.container" -}}
image: {{ include "pawsort.image" . }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
volumeMounts:
  - {name: secrets, mountPath: /run/secrets, readOnly: true}
  - {name: tmp, mountPath: /tmp}
  - {name: data, mountPath: /var/lib/pawsort}
{{- end }}

{{- define "pawsort.environment" -}}
- {name: PAWSORT_DATA_DIR, value: /var/lib/pawsort}
- {name: PAWSORT_DATABASE_URL_FILE, value: /run/secrets/{{ first .secrets }}}
- {name: PAWSORT_REDIS_URL_FILE, value: /run/secrets/redis_url}
- {name: PAWSORT_BLOB_URL, value: {{ .root.Values.blobs.url | quote }}}
{{- if .root.Values.hasStoreKeys }}
- {name: AWS_ACCESS_KEY_ID_FILE, value: /run/secrets/s3_access_key}
- {name: AWS_SECRET_ACCESS_KEY_FILE, value: /run/secrets/s3_secret_key}
{{- end }}
{{- with .root.Values.blobs.endpoint }}
- {name: AWS_ENDPOINT_URL, value: {{ . | quote }}}
{{- end }}
{{- with .root.Values.blobs.region }}
- {name: AWS_REGION, value: {{ . | quote }}}
{{- end }}
{{- range $name, $value := .root.Values.settings }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}
