//! Reads the tables of mutants.

/// Some lines of one file, and what stands in their place in the copy.
#[derive(Debug)]
pub(crate) struct Patch {
    pub(crate) mutant: String,
    pub(crate) file: String,
    pub(crate) from: String,
    pub(crate) to: String,
}

#[derive(Debug)]
struct Mutant {
    name: String,
    /// The functions of `run` that find it.
    finders: Vec<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Table {
    mutants: Vec<Mutant>,
    pub(crate) patches: Vec<Patch>,
}

impl Table {
    /// Reads all tables as one. The error names the mutant.
    pub(crate) fn parse(texts: &[&str]) -> Result<Self, String> {
        let mut table = Self::default();
        for text in texts {
            table.read(text)?;
        }
        table.check()?;
        Ok(table)
    }

    /// Each mutant with each function that finds it.
    pub(crate) fn finders(&self) -> impl Iterator<Item = (&str, &str)> {
        self.mutants
            .iter()
            .flat_map(|Mutant { name, finders }| finders.iter().map(|by| (&**name, &**by)))
    }

    fn read(&mut self, text: &str) -> Result<(), String> {
        let mut lines = text.lines();
        let mut section = "";
        while let Some(line) = lines.next() {
            if let Some(name) = line.strip_prefix("## ") {
                section = name;
            } else if let Some(finders) = line.strip_prefix("Found by: ") {
                let finders = finders.split(", ").map(str::to_owned).collect();
                self.mutants.push(Mutant { name: section.to_owned(), finders });
            } else if let Some(file) = line.strip_prefix("```diff ") {
                let (mut from, mut to) = (String::new(), String::new());
                for line in lines.by_ref().take_while(|line| *line != "```") {
                    let (is_kept, is_added) = match line.bytes().next() {
                        Some(b' ') => (true, true),
                        Some(b'-') => (true, false),
                        Some(b'+') => (false, true),
                        _ => {
                            return Err(format!(
                                "{section}: neither kept, removed nor added: `{line}`"
                            ));
                        }
                    };
                    for (text, has_it) in [(&mut from, is_kept), (&mut to, is_added)] {
                        if has_it {
                            *text += &line[1..];
                            text.push('\n');
                        }
                    }
                }
                let (mutant, file) = (section.to_owned(), file.to_owned());
                self.patches.push(Patch { mutant, file, from, to });
            }
        }
        Ok(())
    }

    /// Without its switch a bug would be there when no mutant is on, and with another's it would be
    /// found as that one.
    fn check(&self) -> Result<(), String> {
        for Mutant { name, .. } in &self.mutants {
            let asks = |patch: &Patch| switches(&patch.to).any(|asked| asked == name);
            if !self.patches.iter().any(|patch| patch.mutant == *name && asks(patch)) {
                return Err(format!("{name}: no patch asks whether it is on"));
            }
        }
        for Patch { mutant, to, .. } in &self.patches {
            if let Some(other) = switches(to).find(|asked| asked != mutant) {
                return Err(format!("{mutant}: a patch asks whether {other} is on"));
            }
        }
        Ok(())
    }
}

/// The mutants that a text asks for.
fn switches(text: &str) -> impl Iterator<Item = &str> {
    let of_rust = text.split("on(\"").skip(1).filter_map(|rest| rest.split('"').next());
    let of_lua = text.split("mutant('").skip(1).filter_map(|rest| rest.split('\'').next());
    of_rust.chain(of_lua)
}
