;; A few kilobytes that are hard to compile: loops within loops, each of which carries a thousand
;; values round. What has to be worked out is their product.
(component
  (core module
    (func
      ;; repeat 1000
      (local i64)
      ;; end
      ;; repeat 1500
      loop
      ;; end
      ;; repeat 1000
      (local.set # (i64.add (local.get #) (i64.const #)))
      ;; end
      ;; repeat 1500
      (br_if 0 (i32.wrap_i64 (local.get 0))) end
      ;; end
    )))
