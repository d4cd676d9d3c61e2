//! Drawings of a small world, and of one whose names are hostile.

use super::build_tests::World;
use super::draw::Format;

const ALL: [Format; 3] = [Format::Dot, Format::Svg, Format::Mermaid];

#[test]
fn the_usage_graph_is_drawn() {
    let inventory = World::new()
        .secret("db")
        .secret("db_v2")
        .secret("idle")
        .service("api", &["db"])
        .service_with(
            "web",
            r#"{"Global":{}}"#,
            "null",
            r#"{"com.docker.stack.namespace":"shop"}"#,
            &["db_v2"],
            &[("running", "running", &["db_v2"])],
        )
        .service("plain", &[])
        .stack(1, "shop", "", Ok("secrets: {db: {external: true}}"))
        .build();
    for format in ALL {
        insta::assert_snapshot!(format!("{format:?}"), inventory.draw(format));
    }
}

#[test]
fn names_cannot_write_markup() {
    let evil = r#"x\"]; evil <script>alert(1)</script> & ' `|{}"#.replace('"', "");
    let file = Ok("services: {}");
    let inventory =
        World::new().stack(1, &evil.replace('\\', "\\\\"), "", file).stack(2, "a\\u0000\\u202eb\\\"", "", file).build();
    for format in ALL {
        let drawing = inventory.draw(format);
        // In Graphviz a name stands in a quoted label, where markup is text.
        assert!(format == Format::Dot || !drawing.contains("<script"), "{drawing}");
        assert!(!drawing.contains('\u{202e}') && !drawing.contains('\0'), "{drawing}");
    }
    assert!(!inventory.draw(Format::Dot).contains("b\"\\n"), "a quote must not end the label");
    assert!(inventory.draw(Format::Svg).contains("&lt;script&gt;"));
}

#[test]
fn an_empty_world_can_be_drawn() {
    for format in ALL {
        assert!(!World::new().build().draw(format).is_empty());
    }
    assert!("png".parse::<Format>().is_err());
    assert_eq!("svg".parse::<Format>().unwrap(), Format::Svg);
}
