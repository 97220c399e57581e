use std::collections::BTreeMap;
use std::path::Path;
use crate::pack::Pack;
fn read(dir: &Path, prefix: &str, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() { read(&entry.path(), &format!("{name}/"), files); }
        else if name.ends_with(".yaml") { files.insert(name, std::fs::read_to_string(entry.path()).unwrap()); }
    }
}
#[test]
fn itil() {
    let mut files = BTreeMap::new();
    read(Path::new("/work/main/packs/itil"), "", &mut files);
    match Pack::read(&files) {
        Err(d) => panic!("{d}"),
        Ok(pack) => { let d = super::lint(&pack); println!("{d}"); 
    let digest = pack.digest;
    let mut files2 = BTreeMap::new();
    read(Path::new("/work/main/examples/volvo"), "", &mut files2);
    files2.retain(|k,_| !k.starts_with("mapping"));
    let p = files2.get_mut("pack.yaml").unwrap();
    *p = p.replace("sha256:0000000000000000000000000000000000000000000000000000000000000000", &digest.to_string());
    for (k,v) in &files { files2.insert(format!("base/{k}"), v.clone()); }
    match Pack::read(&files2) { Err(d) => panic!("{d}"), Ok(pack) => println!("VOLVO\n{}", super::lint(&pack)) }
        }
    }
}
