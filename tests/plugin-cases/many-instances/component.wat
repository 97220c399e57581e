;; Makes five hundred instances of one module.
(component
  (core module $m (memory 1) (table 10 funcref))
  ;; repeat 500
  (core instance (instantiate $m))
  ;; end
)
