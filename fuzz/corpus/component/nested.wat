(component
  (component $inner (core module (table 3 funcref) (global i64 (i64.const 1))))
  (instance (instantiate $inner))
  (type $r (record (field "a" (list (tuple u8 string))) (field "b" (option (result f64)))))
  (type $v (variant (case "x" $r) (case "y"))))
