(component
  (type $r (resource (rep i32)))
  (core func $new (canon resource.new $r))
  (core func $drop (canon resource.drop $r))
  (core module $m (import "" "new" (func (param i32) (result i32))) (func (export "run")))
  (core instance $i (instantiate $m (with "" (instance (export "new" (func $new)))))))
