;; Exports ten thousand interfaces.
(component
  (instance $nothing)
  ;; repeat 10000
  (export "hostile:case/export-x#@1.0.0" (instance $nothing))
  ;; end
)
