(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))
  (core instance $i (instantiate $m))
  (func (export "f") (param "a" u32) (result u32) (canon lift (core func $i "f"))))
