{{- define "wildgate.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "wildgate.labels" -}}
app.kubernetes.io/name: wildgate
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "wildgate.selector" -}}
app.kubernetes.io/name: wildgate
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}
