use std::os::unix::ffi::OsStringExt;

use super::*;

const FILE: &str = concat!(
    r#"{"path":"a/b","kind":"file","size":3,"mode":"0644","uid":1,"gid":2,"#,
    r#""mtime":"1795392000.000000001","ctime":"1795392000.000000002","inode":4,"dev":5,"#,
    r#""sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","#,
    r#""pack":"x.tar.zst"}"#
);

fn line(text: &str) -> io::Result<Entry> {
    Entry::from_line(text.as_bytes())
}

#[test]
fn an_entry_is_written_as_it_is_read() {
    let entry = line(FILE).unwrap();
    assert_eq!(entry.member().as_path().to_str(), Some("a/b"));
    assert_eq!(String::from_utf8(entry.to_line().unwrap()).unwrap(), FILE);
}

#[test]
fn names_that_are_not_utf8_read_back() {
    let odd = OsString::from_vec(b"\xff\n".to_vec());
    let mut entry = line(FILE).unwrap();
    entry.path = EntryPath::new(odd.clone()).unwrap();
    let text = String::from_utf8(entry.to_line().unwrap()).unwrap();
    assert!(text.starts_with(r#"{"path_hex":"ff0a""#), "{text}");
    assert_eq!(line(&text).unwrap(), entry);

    entry.kind = Kind::Symlink(odd);
    let text = String::from_utf8(entry.to_line().unwrap()).unwrap();
    assert_eq!(line(&text).unwrap(), entry);
}

#[test]
fn every_other_spelling_is_refused() {
    let with = |from: &str, to: &str| {
        assert!(FILE.contains(from), "{from}");
        FILE.replace(from, to)
    };
    for bad in [
        with(r#""path":"a/b","#, ""),
        with(r#""path":"a/b""#, r#""path":"../b""#),
        with(r#""path":"a/b""#, r#""path":"/b""#),
        with(r#""path":"a/b""#, r#""path":"a/b","path_hex":"ff""#),
        with(r#""path":"a/b""#, r#""path_hex":"61""#),
        with(r#""path":"a/b""#, r#""path_hex":"FF""#),
        with(r#""kind":"file""#, r#""kind":"dir""#),
        with(r#""kind":"file""#, r#""kind":"fifo""#),
        with(r#""size":3,"#, ""),
        with(r#""size":3"#, r#""size":-3"#),
        with("0644", "644"),
        with("0644", "+644"),
        with("0644", "10644"),
        with(r#""uid":1,"#, ""),
        with("ba78", "BA78"),
        with(r#","pack":"x.tar.zst""#, ""),
        with(r#""pack":"#, r#""target":"x","pack":"#),
        with(r#""pack":"#, r#""member":"a/b","pack":"#),
        with(r#""pack":"#, r#""member":"/etc","pack":"#),
        with(r#""dev":5"#, r#""dev":5,"more":1"#),
    ] {
        assert!(line(&bad).is_err(), "{bad}");
    }
}
