//! Finds what is to be erased.
//!
//! Erasing can join two statements that a line end has separated: `let a = b as c` and a line that
//! begins with `(`. A semicolon, in the place of the erased text, keeps them apart.

use std::collections::HashSet;
use std::ops::Range;

use oxc_ast::ast::{
    AccessorProperty, AccessorPropertyType, ArrowFunctionExpression, Class, ClassElement, Comment,
    Declaration, ExportDefaultDeclarationKind, ExportSpecifier, FormalParameter, Function,
    ImportDeclarationSpecifier, ImportOrExportKind, MethodDefinition, MethodDefinitionType,
    PropertyDefinition, PropertyDefinitionType, Statement, TSAsExpression, TSNamespaceDeclaration,
    TSNamespaceDeclarationBody, TSNonNullExpression, TSSatisfiesExpression, TSThisParameter,
    TSTypeAnnotation, TSTypeAssertion, TSTypeParameterDeclaration, TSTypeParameterInstantiation,
    VariableDeclarator,
};
use oxc_ast_visit::{Visit, walk};
use oxc_span::{GetSpan, Span};
use oxc_syntax::scope::ScopeFlags;

use crate::text::Text;

/// Words before the name of a class's member that are TypeScript's.
const MODIFIERS: [&str; 7] =
    ["public", "private", "protected", "readonly", "override", "abstract", "declare"];

pub struct Eraser<'a> {
    source: &'a str,
    comments: Vec<Range<usize>>,
    pub text: Text<'a>,
    /// The ends of statements and members of classes that no semicolon ends.
    open_ends: HashSet<usize>,
    /// The constructs that cannot be erased, and their places.
    pub refused: Vec<(usize, &'static str)>,
}

impl<'a> Eraser<'a> {
    pub fn new(source: &'a str, comments: &[Comment]) -> Eraser<'a> {
        let comments = comments.iter().map(|comment| range(comment.span)).collect();
        let text = Text::new(source);
        Eraser { source, comments, text, open_ends: HashSet::new(), refused: Vec::new() }
    }

    fn refuse(&mut self, span: Span, what: &'static str) {
        self.refused.push((range(span).start, what));
    }

    /// Erases a statement, or a member of a class.
    fn erase_whole(&mut self, span: Span) {
        let Range { start, end } = range(span);
        self.text.erase(start..end);
        self.text.write(start, b';');
    }

    /// Erases something inside of an expression or declaration, or at its end.
    fn erase_part(&mut self, range: Range<usize>) {
        if self.open_ends.contains(&range.end) && !range.is_empty() {
            self.text.write(range.start, b';');
        }
        self.text.erase(range);
    }

    fn note_end(&mut self, span: Span) {
        let end = range(span).end;
        if !self.source[..end].ends_with(';') {
            self.open_ends.insert(end);
        }
    }

    /// The places in a range that are not in comments and no space.
    fn tokens(&self, range: Range<usize>) -> impl Iterator<Item = usize> {
        let comments = &self.comments;
        self.source[range.clone()]
            .char_indices()
            .filter(|(_, character)| !character.is_whitespace())
            .map(move |(at, _)| range.start + at)
            .filter(|at| {
                let next = comments.partition_point(|comment| comment.end <= *at);
                comments.get(next).is_none_or(|comment| *at < comment.start)
            })
    }

    /// The first place in a range that is not in a comment and no space.
    fn next(&self, range: Range<usize>) -> Option<usize> {
        self.tokens(range).next()
    }

    /// The first place of a text in a range, outside of comments.
    fn find(&self, range: Range<usize>, text: &str) -> Option<usize> {
        let end = range.end;
        self.tokens(range).find(|at| self.source[*at..end].starts_with(text))
    }

    /// Erases the first such text in a range.
    fn erase_token(&mut self, range: Range<usize>, text: &str) {
        if let Some(at) = self.find(range, text) {
            self.erase_part(at..at + text.len());
        }
    }

    /// Erases an item of a list, and the comma after it.
    fn erase_item(&mut self, span: Span) {
        let Range { start, end } = range(span);
        let next = self.next(end..self.source.len());
        let comma = next.filter(|at| self.source[*at..].starts_with(','));
        self.text.erase(start..comma.map_or(end, |at| at + 1));
    }

    /// Erases the modifiers of a member. The line before may need a semicolon, as `a = 1` does
    /// before `private [b]`.
    fn erase_modifiers(&mut self, member: Span, decorators_end: Option<u32>, key: Span) {
        let (start, end) = (range(member).start, range(key).start);
        let from = decorators_end.map_or(start, |end| end as usize);
        let mut at = from;
        while let Some(word) = self.next(at..end) {
            let rest = &self.source[word..end];
            let length = rest.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(rest.len());
            if MODIFIERS.contains(&&rest[..length]) {
                self.text.erase(word..word + length);
                if word == start {
                    self.text.write(word, b';');
                }
            }
            at = word + length.max(1);
        }
    }

    /// Erases the `?` or `!` between the name of a member and what follows it.
    fn erase_mark(&mut self, key: Span, is_computed: bool, mark: &str, end: usize) {
        let mut start = range(key).end;
        if is_computed {
            start = self.find(start..end, "]").map_or(start, |at| at + 1);
        }
        self.erase_token(start..end, mark);
    }

    /// Moves the `(` after type parameters to their place, if there is a line end between: `return`
    /// must not be at the end of a line.
    fn erase_type_parameters(&mut self, span: Span, params: Span) {
        let (types, params) = (range(span), range(params).start);
        if self.source[types.start..params].contains('\n') && self.source[params..].starts_with('(') {
            self.text.write(types.start, b'(');
            self.text.erase(params..params + 1);
        }
    }
}

fn range(span: Span) -> Range<usize> {
    span.start as usize..span.end as usize
}

/// Whether a namespace has only types.
fn is_of_types(namespace: &TSNamespaceDeclaration<'_>) -> bool {
    match &namespace.body {
        TSNamespaceDeclarationBody::TSNamespaceDeclaration(inner) => is_of_types(inner),
        TSNamespaceDeclarationBody::TSModuleBlock(block) => {
            block.body.iter().all(|statement| match statement {
                Statement::ExportDeclaration(export) => is_type(&export.declaration),
                Statement::TSTypeAliasDeclaration(_) | Statement::TSInterfaceDeclaration(_) => true,
                Statement::TSNamespaceDeclaration(inner) => inner.declare || is_of_types(inner),
                _ => false,
            })
        }
    }
}

/// Whether a declaration is erased as a whole.
fn is_type(declaration: &Declaration<'_>) -> bool {
    match declaration {
        Declaration::VariableDeclaration(it) => it.declare,
        Declaration::FunctionDeclaration(it) => it.declare || it.body.is_none(),
        Declaration::ClassDeclaration(it) => it.declare,
        Declaration::TSTypeAliasDeclaration(_) | Declaration::TSInterfaceDeclaration(_) => true,
        Declaration::TSEnumDeclaration(it) => it.declare,
        Declaration::TSExternalModuleDeclaration(_) | Declaration::TSGlobalDeclaration(_) => true,
        Declaration::TSNamespaceDeclaration(it) => it.declare || is_of_types(it),
        Declaration::TSImportEqualsDeclaration(it) => it.import_kind == ImportOrExportKind::Type,
    }
}

/// Whether a statement is erased as a whole.
fn is_type_statement(statement: &Statement<'_>) -> bool {
    if let Some(declaration) = statement.as_declaration() {
        return is_type(declaration);
    }
    match statement {
        Statement::ImportDeclaration(it) => it.import_kind == ImportOrExportKind::Type,
        Statement::ExportAllDeclaration(it) => it.export_kind == ImportOrExportKind::Type,
        Statement::ExportNamedDeclaration(it) => it.export_kind == ImportOrExportKind::Type,
        Statement::ExportFromDeclaration(it) => it.export_kind == ImportOrExportKind::Type,
        Statement::ExportDeclaration(it) => is_type(&it.declaration),
        Statement::ExportDefaultDeclaration(it) => match &it.declaration {
            ExportDefaultDeclarationKind::FunctionDeclaration(function) => function.body.is_none(),
            ExportDefaultDeclarationKind::TSInterfaceDeclaration(_) => true,
            _ => false,
        },
        Statement::TSNamespaceExportDeclaration(_) => true,
        _ => false,
    }
}

impl<'a> Visit<'a> for Eraser<'_> {
    fn visit_statement(&mut self, it: &Statement<'a>) {
        if is_type_statement(it) {
            self.erase_whole(it.span());
            return;
        }
        match it {
            Statement::TSExportAssignment(export) => self.refuse(export.span, "`export =`"),
            // The end of a block needs no semicolon.
            Statement::ExpressionStatement(_)
            | Statement::VariableDeclaration(_)
            | Statement::ReturnStatement(_)
            | Statement::ThrowStatement(_)
            | Statement::DoWhileStatement(_)
            | Statement::ExportDefaultDeclaration(_)
            | Statement::ExportDeclaration(_) => self.note_end(it.span()),
            _ => {}
        }
        walk::walk_statement(self, it);
    }

    fn visit_declaration(&mut self, it: &Declaration<'a>) {
        match it {
            Declaration::TSEnumDeclaration(it) => self.refuse(it.span, "enum"),
            Declaration::TSNamespaceDeclaration(it) => self.refuse(it.span, "namespace with values"),
            Declaration::TSImportEqualsDeclaration(it) => self.refuse(it.span, "`import =`"),
            _ => walk::walk_declaration(self, it),
        }
    }

    fn visit_ts_type_annotation(&mut self, it: &TSTypeAnnotation<'a>) {
        self.erase_part(range(it.span));
    }

    fn visit_ts_type_parameter_declaration(&mut self, it: &TSTypeParameterDeclaration<'a>) {
        self.erase_part(range(it.span));
    }

    fn visit_ts_type_parameter_instantiation(&mut self, it: &TSTypeParameterInstantiation<'a>) {
        self.erase_part(range(it.span));
    }

    fn visit_ts_this_parameter(&mut self, it: &TSThisParameter<'a>) {
        self.erase_item(it.span);
    }

    fn visit_ts_as_expression(&mut self, it: &TSAsExpression<'a>) {
        self.erase_part(range(it.expression.span()).end..range(it.span).end);
        self.visit_expression(&it.expression);
    }

    fn visit_ts_satisfies_expression(&mut self, it: &TSSatisfiesExpression<'a>) {
        self.erase_part(range(it.expression.span()).end..range(it.span).end);
        self.visit_expression(&it.expression);
    }

    fn visit_ts_non_null_expression(&mut self, it: &TSNonNullExpression<'a>) {
        // A line that begins with `(` goes on with the expression, with and without the mark.
        self.text.erase(range(it.expression.span()).end..range(it.span).end);
        self.visit_expression(&it.expression);
    }

    fn visit_ts_type_assertion(&mut self, it: &TSTypeAssertion<'a>) {
        self.refuse(it.span, "type assertion with angle brackets (write `as`)");
    }

    fn visit_import_declaration_specifier(&mut self, it: &ImportDeclarationSpecifier<'a>) {
        if let ImportDeclarationSpecifier::ImportSpecifier(it) = it
            && it.import_kind == ImportOrExportKind::Type
        {
            self.erase_item(it.span);
        }
    }

    fn visit_export_specifier(&mut self, it: &ExportSpecifier<'a>) {
        if it.export_kind == ImportOrExportKind::Type {
            self.erase_item(it.span);
        }
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        if let (true, Some(annotation)) = (it.definite, &it.type_annotation) {
            self.erase_token(range(it.id.span()).end..range(annotation.span).start, "!");
        }
        walk::walk_variable_declarator(self, it);
    }

    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        if let Some(types) = &it.type_parameters {
            self.erase_type_parameters(types.span, it.params.span);
        }
        walk::walk_function(self, it, flags);
    }

    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'a>) {
        if let Some(types) = &it.type_parameters {
            self.erase_type_parameters(types.span, it.params.span);
        }
        if let Some(types) = &it.return_type {
            let (params, types) = (range(it.params.span).end, range(types.span));
            // The arrow has to be on the line of the `)`.
            if self.source[params..types.end].contains('\n') && self.source[..params].ends_with(')') {
                self.text.erase(params - 1..params);
                let last =
                    self.source[..types.end].char_indices().next_back().map_or(types.end, |(at, _)| at);
                self.text.write(last, b')');
            }
        }
        walk::walk_arrow_function_expression(self, it);
    }

    fn visit_formal_parameter(&mut self, it: &FormalParameter<'a>) {
        if it.accessibility.is_some() || it.readonly || it.r#override {
            self.refuse(it.span, "parameter property");
        }
        if it.optional {
            let end = it.type_annotation.as_ref().map_or(it.span, |annotation| annotation.span);
            let end = if it.type_annotation.is_some() { range(end).start } else { range(end).end };
            self.erase_token(range(it.pattern.span()).end..end.max(range(it.pattern.span()).end + 1), "?");
        }
        walk::walk_formal_parameter(self, it);
    }

    fn visit_class(&mut self, it: &Class<'a>) {
        let body = range(it.body.span).start;
        if it.r#abstract {
            let start = it.decorators.last().map_or(it.span.start, |decorator| decorator.span.end) as usize;
            self.erase_token(start..body, "abstract");
        }
        if let (Some(first), Some(last)) = (it.implements.first(), it.implements.last()) {
            let before = [
                it.id.as_ref().map(|id| id.span.end),
                it.type_parameters.as_ref().map(|types| types.span.end),
                it.heritage.as_ref().map(|heritage| heritage.expression.span().end),
                it.heritage.as_ref().and_then(|heritage| Some(heritage.type_arguments.as_ref()?.span.end)),
            ];
            let start = before.into_iter().flatten().max().unwrap_or(it.span.start) as usize;
            if let Some(at) = self.find(start..range(first.span).start, "implements") {
                self.text.erase(at..range(last.span).end);
            }
        }
        for decorator in &it.decorators {
            self.visit_decorator(decorator);
        }
        if let Some(types) = &it.type_parameters {
            self.visit_ts_type_parameter_declaration(types);
        }
        if let Some(heritage) = &it.heritage {
            self.visit_expression(&heritage.expression);
            if let Some(types) = &heritage.type_arguments {
                self.visit_ts_type_parameter_instantiation(types);
            }
        }
        self.visit_class_body(&it.body);
    }

    fn visit_class_element(&mut self, it: &ClassElement<'a>) {
        let is_type = match it {
            ClassElement::StaticBlock(_) => false,
            ClassElement::MethodDefinition(it) => {
                it.r#type == MethodDefinitionType::TSAbstractMethodDefinition || it.value.body.is_none()
            }
            ClassElement::PropertyDefinition(it) => {
                it.r#type == PropertyDefinitionType::TSAbstractPropertyDefinition || it.declare
            }
            ClassElement::AccessorProperty(it) => {
                it.r#type == AccessorPropertyType::TSAbstractAccessorProperty
            }
            ClassElement::TSIndexSignature(_) => true,
        };
        if is_type {
            self.erase_whole(it.span());
        } else {
            walk::walk_class_element(self, it);
        }
    }

    fn visit_method_definition(&mut self, it: &MethodDefinition<'a>) {
        self.erase_modifiers(
            it.span,
            it.decorators.last().map(|one| one.span.end),
            key(it.computed, &it.key),
        );
        if it.optional {
            self.erase_mark(it.key.span(), it.computed, "?", range(it.value.params.span).start);
        }
        walk::walk_method_definition(self, it);
    }

    fn visit_property_definition(&mut self, it: &PropertyDefinition<'a>) {
        self.note_end(it.span);
        self.erase_modifiers(
            it.span,
            it.decorators.last().map(|one| one.span.end),
            key(it.computed, &it.key),
        );
        let types = it.type_annotation.as_ref().map(|types| range(types.span).start);
        let end = types.or(it.value.as_ref().map(|value| range(value.span()).start));
        let end = end.unwrap_or(range(it.span).end);
        if it.optional {
            self.erase_mark(it.key.span(), it.computed, "?", end);
        }
        if it.definite {
            self.erase_mark(it.key.span(), it.computed, "!", end);
        }
        walk::walk_property_definition(self, it);
    }

    fn visit_accessor_property(&mut self, it: &AccessorProperty<'a>) {
        self.note_end(it.span);
        self.erase_modifiers(
            it.span,
            it.decorators.last().map(|one| one.span.end),
            key(it.computed, &it.key),
        );
        if let (true, Some(types)) = (it.definite, &it.type_annotation) {
            self.erase_mark(it.key.span(), it.computed, "!", range(types.span).start);
        }
        walk::walk_accessor_property(self, it);
    }
}

/// The name of a member, without the bracket of a computed one.
fn key(is_computed: bool, key: &oxc_ast::ast::PropertyKey<'_>) -> Span {
    let span = key.span();
    if is_computed { Span::new(span.start.saturating_sub(1), span.end) } else { span }
}
