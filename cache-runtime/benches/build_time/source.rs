//! The programs that are built.

use std::fmt::Write as _;

/// What the functions are annotated with.
pub(crate) struct Library {
    pub(crate) name: &'static str,
    /// Its line in the manifest, where `{runtime}` is the path of `cache-runtime`.
    pub(crate) dependency: &'static str,
    import: &'static str,
    attribute: &'static str,
}

/// Tokio alone, which all programs need.
pub(crate) const NONE: Library =
    Library { name: "none", dependency: "", import: "", attribute: "" };

pub(crate) const OURS: Library = Library {
    name: "cache-runtime",
    dependency: "cache-runtime = { path = \"{runtime}\" }",
    import: "use cache_runtime::cached;",
    attribute: "#[cached(key = \"user:<id>:<part>\", ttl = 60)]",
};

pub(crate) const CACHED: Library = Library {
    name: "cached",
    dependency: "cached = { version = \"4.1\", features = [\"redis_tokio\"] }",
    import: "use cached::macros::concurrent_cached;",
    attribute: "#[concurrent_cached(redis = true, ttl_secs = 60, key = \"String\", \
        cache_prefix_block = r##\"{ \"user\" }\"##, \
        convert = r##\"{ format!(\"{id}:{part}\") }\"##, \
        map_error = r##\"|error| std::io::Error::other(format!(\"{error:?}\"))\"##)]",
};

impl Library {
    /// So many functions, and a `main` that calls them. The body of the first depends on the
    /// `edition`.
    pub(crate) fn flat(&self, is_annotated: bool, functions: usize, edition: usize) -> String {
        let mut source = self.beginning();
        for number in 0..functions {
            let edition = if number == 0 { edition } else { 0 };
            let body = format!("Ok(Some(format!(\"{{id}}{{part}}{edition}\")))");
            self.write_function(&mut source, is_annotated, number, &body);
        }
        source.push_str("#[tokio::main(flavor = \"current_thread\")]\nasync fn main() {\n");
        for number in 0..functions {
            writeln!(source, "    println!(\"{{:?}}\", load_{number}({number}, \"name\").await);")
                .expect("room for a line");
        }
        source.push_str("}\n");
        source
    }

    /// Functions each of which calls the next one, and a `main` that spawns the first.
    pub(crate) fn nested(&self, is_annotated: bool, functions: usize) -> String {
        let mut source = self.beginning();
        for number in 0..functions {
            let body = match number + 1 {
                next if next < functions => format!("load_{next}(id, part).await"),
                _ => "Ok(None)".to_owned(),
            };
            self.write_function(&mut source, is_annotated, number, &body);
        }
        source.push_str(
            "#[tokio::main(flavor = \"current_thread\")]\nasync fn main() {\n    \
             tokio::spawn(async { load_0(1, \"\").await });\n}\n",
        );
        source
    }

    fn beginning(&self) -> String {
        format!("#![allow(unused)]\n{}\n", self.import)
    }

    fn write_function(&self, source: &mut String, is_annotated: bool, number: usize, body: &str) {
        let attribute = if is_annotated { self.attribute } else { "" };
        writeln!(
            source,
            "{attribute}\nasync fn load_{number}(id: u64, part: &str) -> \
             Result<Option<String>, std::io::Error> {{\n    {body}\n}}"
        )
        .expect("room for a line");
    }
}
