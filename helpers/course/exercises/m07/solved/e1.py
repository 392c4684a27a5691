# Written by `course build` from solutions/src/07_run_on_kubernetes.py: change it there.
# The exercise's own cell.
KUSTOMIZATION = """
resources: [agent.yaml, network.yaml, scaling.yaml]
images: [{name: shop/agent, newTag: 1.4.0}]
patches:
  - target: {kind: Deployment, name: agent}
    patch: |-
      kind: Deployment
      metadata: {name: agent}
      spec:
        selector: {matchLabels: {app: agent}}
        template:
          spec:
            terminationGracePeriodSeconds: 45
            containers:
              - name: agent
                env:
                  - {name: MODEL_URL, value: "http://model.models:8080/v1"}
                  - name: MODEL_API_KEY
                    value: null
                    valueFrom: {secretKeyRef: {name: model-key, key: key}}
                resources: {limits: {memory: 800Mi}}
                readinesProbe: null
                readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 5}
                livenessProbe: {httpGet: {path: /livez}}
  - target: {kind: Service, name: agent}
    patch: |-
      - {op: replace, path: /spec/ports/0/targetPort, value: http}
  - target: {kind: HorizontalPodAutoscaler, name: agent}
    patch: |-
      - {op: replace, path: /spec/scaleTargetRef/name, value: agent}
  - target: {kind: PodDisruptionBudget, name: agent}
    patch: |-
      - {op: replace, path: /spec/minAvailable, value: 1}
  - target: {kind: NetworkPolicy, name: agent}
    patch: |-
      - {op: add, path: /spec/egress/0/ports/-, value: {protocol: UDP, port: 53}}
"""
ANSWER = KUSTOMIZATION
