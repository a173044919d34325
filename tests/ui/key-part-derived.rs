use std::collections::HashMap;

use cache_runtime::KeyPart;

#[derive(KeyPart)]
struct Point {
    name: String,
    x: f64,
}

#[derive(KeyPart)]
enum Filter {
    All,
    By(HashMap<String, String>),
}

#[derive(KeyPart)]
struct Celsius(f32);

#[derive(KeyPart)]
union Either {
    a: u8,
    b: i8,
}

#[derive(KeyPart)]
#[key_part(skip)]
struct Skipping(u8);

fn main() {}
